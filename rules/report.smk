rule report:
    # The page of a case, to be looked at before its numbers are believed.
    input:
        volume=rules.ingest.output.volume,
        volume_sidecar=rules.ingest.output.sidecar,
        isotropic=rules.resample.output.isotropic,
        isotropic_sidecar=rules.resample.output.sidecar,
        unsmoothed=rules.resample.output.unsmoothed,
        unsmoothed_sidecar=rules.resample.output.unsmoothed_sidecar,
        artefacts=rules.resample.output.artefacts,
        artefacts_sidecar=rules.resample.output.artefacts_sidecar,
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        surfaces=rules.mesh.output.surfaces,
        surfaces_sidecar=rules.mesh.output.sidecar,
        measurements=rules.measure.output.measurements,
        measurements_sidecar=rules.measure.output.sidecar,
        centrelines=asked_centrelines,
        simulations=asked_simulations,
    output:
        report=f"{CASE_FOLDER}/report.html",
        sidecar=f"{CASE_FOLDER}/report.json",
        thumbnail=f"{CASE_FOLDER}/thumbnail.png",
        thumbnail_sidecar=f"{CASE_FOLDER}/thumbnail.json",
    log:
        "logs/{case}/report.log",
    benchmark:
        "benchmarks/{case}/report.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("report"),
        runtime=minutes("report"),
        attempt=attempt_number,
    params:
        case="{case}",
        structures=structures_of("name", "label", "colour", "code"),
        library=library("report"),
    message:
        "{wildcards.case}: report"
    script:
        "../scripts/report.py"
