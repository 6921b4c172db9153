rule learn:
    # One network of a recipe, for each fold of its labelled scans; training is a process in the
    # environment that has torch. What is there to watch meanwhile lies beside it, in unfinished-….
    input:
        scans=lambda wildcards: exemplars_of(wildcards, "isotropic.nii.gz"),
        labels=lambda wildcards: exemplars_of(wildcards, "labels.nii.gz"),
    output:
        network=directory(f"{MODEL_FOLDER}/fold-{{fold}}/network"),
        sidecar=f"{MODEL_FOLDER}/fold-{{fold}}/network.json",
    log:
        "logs/models/{recipe}/fold-{fold}/learn.log",
    benchmark:
        "benchmarks/models/{recipe}/fold-{fold}/learn.tsv"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("learn"),
        runtime=minutes("learn"),
        attempt=attempt_number,
    params:
        **learning_of("modality", "structures", "folds", "iterations", "batch"),
        fold=lambda wildcards: int(wildcards.fold) - 1,
        threads=lambda wildcards, threads: threads,
        library=library("learn") + library("scanmill/learning/training"),
    message:
        "{wildcards.recipe}: learn, fold {wildcards.fold}"
    script:
        "../scripts/learn.py"


rule cross_validate:
    # The networks of all folds as one, and what each finds in the labelled scans that it was not shown.
    input:
        networks=lambda wildcards: folds_of(wildcards, rules.learn.output.network),
        scans=lambda wildcards: exemplars_of(wildcards, "isotropic.nii.gz"),
        labels=lambda wildcards: exemplars_of(wildcards, "labels.nii.gz"),
    output:
        model=directory(f"{MODEL_FOLDER}/network"),
        sidecar=f"{MODEL_FOLDER}/network.json",
    log:
        "logs/models/{recipe}/cross_validate.log",
    benchmark:
        "benchmarks/models/{recipe}/cross_validate.tsv"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("cross_validate"),
        runtime=minutes("cross_validate"),
        attempt=attempt_number,
    params:
        **learning_of("modality", "structures"),
        library=library("cross_validate"),
    message:
        "{wildcards.recipe}: cross-validate what was learned"
    script:
        "../scripts/cross_validate.py"
