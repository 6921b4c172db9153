rule describe:
    input:
        tables=[
            *rules.collect.output,
            *rules.compare.output,
            *cohort_checks(),
            *rules.groups.output,
        ],
        measurements=rules.collect.output.measurements,
        provenance=rules.collect.output.provenance,
    output:
        methods="results/cohort/methods.md",
        references="results/cohort/references.bib",
        crate="results/ro-crate-metadata.json",
        workflow=directory("results/workflow"),
    log:
        "logs/describe.log",
    # What the run did: for a paper, and for other programs. A moment's work.
    localrule: True
    conda:
        "../envs/scanmill.yaml"
    params:
        report=SETTINGS.report,
        library=library("describe"),
    message:
        "describe: methods and references, and the run as a crate"
    script:
        "../scripts/describe.py"
