rule compare:
    # What the cohort's table tells of references, and of subjects that were scanned more than once.
    input:
        measurements=rules.collect.output.measurements,
    output:
        **comparisons(),
    log:
        "logs/compare.log",
    # A moment's work.
    localrule: True
    conda:
        "../envs/scanmill.yaml"
    params:
        sheet=told_sheet(),
        library=library("compare"),
    message:
        "compare: agreement and changes"
    script:
        "../scripts/compare.py"
