rule export:
    # DICOM objects of a case's results that refer to the series which they are made of.
    input:
        scan=scan_card,
        made=made_scan,
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        surfaces=rules.mesh.output.surfaces,
        surfaces_sidecar=rules.mesh.output.sidecar,
        measurements=rules.measure.output.measurements,
        measurements_sidecar=rules.measure.output.sidecar,
    output:
        dicom=directory(f"{CASE_FOLDER}/dicom"),
        sidecar=f"{CASE_FOLDER}/dicom.json",
    log:
        "logs/{case}/export.log",
    benchmark:
        "benchmarks/{case}/export.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("export"),
        runtime=minutes("export"),
        attempt=attempt_number,
    params:
        case="{case}",
        structures=structures_of(
            "name", "label", "code", "category", "laterality", "colour", "segment"
        ),
        kinds=list(SETTINGS.export),
        identity=SETTINGS.export_identity,
        allow_uneven=lambda wildcards: recipe_of(wildcards).uneven_slices == "resample",
        state=lambda wildcards: f"{scan_state(wildcards)} {PSEUDONYMS_STATE}",
        library=library("export"),
    message:
        "{wildcards.case}: export"
    script:
        "../scripts/export.py"
