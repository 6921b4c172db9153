rule vary:
    # How a structure's shape varies over the cohort, or did over another one, and how far each case is from
    # what the others make.
    input:
        # Not the cases' label maps: collect waits for them, and a batch of it plans its cases alone.
        made=rules.collect.output.measurements,
        known=known_shape_of,
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
        folder=os.path.dirname(os.path.dirname(rules.segment.output.labels)),
        cases=cases_of_recipe,
        library=library("vary"),
    message:
        "{wildcards.recipe}: vary, {wildcards.structure}"
    script:
        "../scripts/vary.py"
