rule mesh:
    # Closed surfaces (LPS mm) that share the boundaries where structures touch, and one GLB of all.
    input:
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
    output:
        surfaces=directory(f"{CASE_FOLDER}/surfaces"),
        model=f"{CASE_FOLDER}/model.glb",
        sidecar=f"{CASE_FOLDER}/surfaces.json",
        model_sidecar=f"{CASE_FOLDER}/model.json",
    log:
        "logs/{case}/mesh.log",
    benchmark:
        "benchmarks/{case}/mesh.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("mesh"),
        runtime=minutes("mesh"),
        attempt=attempt_number,
    params:
        structures=structures_of("name", "label", "colour", "triangles"),
        formats=SETTINGS.formats,
        pass_band=pass_band_of,
        library=library("mesh"),
    message:
        "{wildcards.case}: mesh"
    script:
        "../scripts/mesh.py"
