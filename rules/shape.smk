rule shape:
    # How the structures of a recipe vary in shape among its atlases: built once for all cases.
    input:
        labels=lambda wildcards: exemplars_of(wildcards, "labels.nii.gz"),
        overlaps=lambda wildcards: exemplars_of(wildcards, "overlaps"),
    output:
        shapes=f"{SHAPE_FOLDER}/shapes.npz",
        sidecar=f"{SHAPE_FOLDER}/shapes.json",
    log:
        "logs/shapes/{recipe}/shape.log",
    benchmark:
        "benchmarks/shapes/{recipe}/shape.tsv"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("shape"),
        runtime=minutes("shape"),
        attempt=attempt_number,
    params:
        wanted=shapes_wanted,
        library=library("shape"),
    message:
        "{wildcards.recipe}: shape, of its atlases"
    script:
        "../scripts/shape.py"
