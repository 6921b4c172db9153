rule check:
    # The cases against each other: those that cannot be right, or are unlike all others.
    input:
        measurements=rules.collect.output.measurements,
        provenance=rules.collect.output.provenance,
        shapes=varying_shapes("reconstruction"),
        # Beside those: what loaded ones tell of their own cases.
        models=varying_shapes("shape"),
    output:
        **check_tables(),
    log:
        "logs/check.log",
    benchmark:
        "benchmarks/check.tsv"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("check"),
        runtime=minutes("check"),
    params:
        # No inputs of their own: collect waits for them, and a batch of it plans its cases alone.
        cases=expand(rules.measure.output.measurements, case=CASES),
        library=library("check"),
    message:
        "check: the cases of the cohort against each other"
    script:
        "../scripts/check.py"
