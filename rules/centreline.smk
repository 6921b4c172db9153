rule centreline:
    # The courses of vessels, for recipes that ask for them, and what lies across them.
    input:
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        # Not the scan itself is read, but how thick its slices were.
        isotropic=rules.resample.output.unsmoothed,
        isotropic_sidecar=rules.resample.output.unsmoothed_sidecar,
    output:
        centrelines=directory(f"{CASE_FOLDER}/centrelines"),
        sidecar=f"{CASE_FOLDER}/centrelines.json",
    log:
        "logs/{case}/centreline.log",
    benchmark:
        "benchmarks/{case}/centreline.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("centreline"),
        runtime=minutes("centreline"),
        attempt=attempt_number,
    params:
        structures=structures_of("name", "label", "centreline"),
        library=library("centreline"),
    message:
        "{wildcards.case}: centreline"
    script:
        "../scripts/centreline.py"
