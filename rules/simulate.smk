rule simulate:
    # The stress of vessels' walls under pressure, for recipes that ask for it.
    input:
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        centrelines=rules.centreline.output.centrelines,
        centrelines_sidecar=rules.centreline.output.sidecar,
    output:
        simulation=directory(f"{CASE_FOLDER}/simulation"),
        sidecar=f"{CASE_FOLDER}/simulation.json",
    log:
        "logs/{case}/simulate.log",
    benchmark:
        "benchmarks/{case}/simulate.tsv"
    group:
        group_of
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("simulate"),
        runtime=minutes("simulate"),
        attempt=attempt_number,
    params:
        structures=structures_of("name", "label", "simulate"),
        pressures=pressures_of,
        library=library("simulate"),
    message:
        "{wildcards.case}: simulate"
    script:
        "../scripts/simulate.py"
