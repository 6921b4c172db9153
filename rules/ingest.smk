rule ingest:
    # The scan as acquired, its geometry explicit, no identity in it.
    input:
        scan=scan_card,
        made=made_scan,
    output:
        volume=f"{CASE_FOLDER}/volume.nii.gz",
        sidecar=f"{CASE_FOLDER}/volume.json",
    log:
        "logs/{case}/ingest.log",
    benchmark:
        "benchmarks/{case}/ingest.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
        attempt=attempt_number,
    params:
        allow_uneven=lambda wildcards: recipe_of(wildcards).uneven_slices == "resample",
        state=scan_state,
        library=library("ingest"),
    message:
        "{wildcards.case}: ingest"
    script:
        "../scripts/ingest.py"
