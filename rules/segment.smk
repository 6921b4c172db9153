rule segment:
    # The semantic label map, from supplied labels (any grid), rules, seeds, atlases, networks and shapes;
    # what overlaps is kept whole.
    input:
        isotropic=rules.resample.output.isotropic,
        isotropic_sidecar=rules.resample.output.sidecar,
        supplied=labels_card,
        seeds=seeds_card,
        models=models_of,
        learned=learned_of,
        atlases=lambda wildcards: expand(
            rules.resample.output.isotropic, case=atlases_of(wildcards)
        ),
        atlas_labels=lambda wildcards: expand(
            f"{CASE_FOLDER}/labels.nii.gz", case=atlases_of(wildcards)
        ),
        shapes=shapes_of,
        artefacts=artefacts_of,
        made=made_labels,
    output:
        labels=f"{CASE_FOLDER}/labels.nii.gz",
        overlaps=directory(f"{CASE_FOLDER}/overlaps"),
        doubts=directory(f"{CASE_FOLDER}/doubts"),
        sidecar=f"{CASE_FOLDER}/labels.json",
        overlaps_sidecar=f"{CASE_FOLDER}/overlaps.json",
        doubts_sidecar=f"{CASE_FOLDER}/doubts.json",
    log:
        "logs/{case}/segment.log",
    benchmark:
        "benchmarks/{case}/segment.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("segment"),
        runtime=minutes("segment"),
        attempt=attempt_number,
    params:
        modality=modality_of,
        structures=structures_of("name", "label", "code", "laterality", "segment"),
        supplied_structures=labelled_structures_of,
        state=labels_state,
        library=library("segment"),
    message:
        "{wildcards.case}: segment"
    script:
        "../scripts/segment.py"
