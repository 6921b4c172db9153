rule measure:
    # One row per structure of the recipe.
    input:
        volume=rules.ingest.output.volume,
        volume_sidecar=rules.ingest.output.sidecar,
        # Not the smoothed image, whose variance is the filter's and not the patient's.
        isotropic=rules.resample.output.unsmoothed,
        isotropic_sidecar=rules.resample.output.unsmoothed_sidecar,
        artefacts=rules.resample.output.artefacts,
        artefacts_sidecar=rules.resample.output.artefacts_sidecar,
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        doubts=rules.segment.output.doubts,
        doubts_sidecar=rules.segment.output.doubts_sidecar,
        surfaces=rules.mesh.output.surfaces,
        surfaces_sidecar=rules.mesh.output.sidecar,
        centrelines=asked_centrelines,
        simulations=asked_simulations,
    output:
        measurements=f"{CASE_FOLDER}/measurements.csv",
        sidecar=f"{CASE_FOLDER}/measurements.json",
    log:
        "logs/{case}/measure.log",
    benchmark:
        "benchmarks/{case}/measure.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("measure"),
        runtime=minutes("measure"),
        attempt=attempt_number,
    params:
        case="{case}",
        structures=structures_of("name", "label", "distances_to", "drawn"),
        ledger_limit=ledger_limit_of,
        library=library("measure"),
    message:
        "{wildcards.case}: measure"
    script:
        "../scripts/measure.py"
