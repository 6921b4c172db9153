rule resample:
    # The scan on cubic voxels, and where it cannot be believed.
    input:
        volume=rules.ingest.output.volume,
        volume_sidecar=rules.ingest.output.sidecar,
    output:
        isotropic=f"{CASE_FOLDER}/isotropic.nii.gz",
        sidecar=f"{CASE_FOLDER}/isotropic.json",
        unsmoothed=f"{CASE_FOLDER}/unsmoothed.nii.gz",
        unsmoothed_sidecar=f"{CASE_FOLDER}/unsmoothed.json",
        artefacts=f"{CASE_FOLDER}/artefacts.nii.gz",
        artefacts_sidecar=f"{CASE_FOLDER}/artefacts.json",
    log:
        "logs/{case}/resample.log",
    benchmark:
        "benchmarks/{case}/resample.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("resample"),
        runtime=minutes("resample"),
        attempt=attempt_number,
    params:
        spacing=spacing_of,
        modality=modality_of,
        correct=correct_of,
        expect=expect_of,
        library=library("resample"),
    message:
        "{wildcards.case}: resample"
    script:
        "../scripts/resample.py"
