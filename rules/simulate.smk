rule simulate:
    # The stress of vessels' walls under pressure, and organs as solid bodies, for recipes that ask for it.
    input:
        labels=rules.segment.output.labels,
        labels_sidecar=rules.segment.output.sidecar,
        overlaps=rules.segment.output.overlaps,
        overlaps_sidecar=rules.segment.output.overlaps_sidecar,
        # Not the smoothed image: bone's stiffness is of what was measured.
        isotropic=rules.resample.output.unsmoothed,
        isotropic_sidecar=rules.resample.output.unsmoothed_sidecar,
        centrelines=asked_centrelines,
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
