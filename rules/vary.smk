rule vary:
    # How a structure's shape varies over the cohort, and how far each case is from what the others make.
    input:
        labels=lambda wildcards: of_recipe(wildcards, rules.segment.output.labels),
        overlaps=lambda wildcards: of_recipe(wildcards, rules.segment.output.overlaps),
    output:
        shape=f"{SHAPE_FOLDER}/{{structure}}/shape.npz",
        shape_sidecar=f"{SHAPE_FOLDER}/{{structure}}/shape.json",
        surfaces=directory(f"{SHAPE_FOLDER}/{{structure}}/surfaces"),
        surfaces_sidecar=f"{SHAPE_FOLDER}/{{structure}}/surfaces.json",
        reconstruction=f"{SHAPE_FOLDER}/{{structure}}/reconstruction.csv",
        sidecar=f"{SHAPE_FOLDER}/{{structure}}/reconstruction.json",
    log:
        "logs/shapes/{recipe}/{structure}/vary.log",
    benchmark:
        "benchmarks/shapes/{recipe}/{structure}/vary.tsv"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("vary"),
        runtime=minutes("vary"),
        attempt=attempt_number,
    params:
        structure="{structure}",
        names=labels_of_recipe,
        library=library("vary"),
    message:
        "{wildcards.recipe}: vary, {wildcards.structure}"
    script:
        "../scripts/vary.py"
