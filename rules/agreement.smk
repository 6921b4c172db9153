rule agreement:
    # How well each structure agrees with the reference that the sheet gives for the case.
    input:
        isotropic=rules.resample.output.isotropic,
        isotropic_sidecar=rules.resample.output.sidecar,
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        measurements=rules.measure.output.measurements,
        measurements_sidecar=rules.measure.output.sidecar,
        reference=reference_card,
        made=made_reference,
    output:
        table=f"{CASE_FOLDER}/agreement.csv",
        sidecar=f"{CASE_FOLDER}/agreement.json",
    log:
        "logs/{case}/agreement.log",
    benchmark:
        "benchmarks/{case}/agreement.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("agreement"),
        runtime=minutes("agreement"),
        attempt=attempt_number,
    params:
        structures=structures_of("name", "label", "code", "laterality", "segment"),
        reference_structures=referred_structures_of,
        surface_dice_tolerance=surface_dice_tolerance_of,
        state=reference_state,
        library=library("agreement"),
    message:
        "{wildcards.case}: agreement"
    script:
        "../scripts/agreement.py"
