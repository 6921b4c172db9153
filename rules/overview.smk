rule overview:
    # The page of the cohort, to be looked at before its table is believed.
    input:
        cases=rules.collect.output.cases,
        measurements=rules.collect.output.measurements,
        provenance=rules.collect.output.provenance,
        methods=rules.describe.output.methods,
        tables=[*rules.compare.output, *cohort_checks(), *rules.groups.output],
    output:
        page=report(
            "results/cohort/report.html",
            caption="../report/overview.rst",
            category="Cohort",
            labels={"table": "the page of the cohort"},
        ),
    log:
        "logs/overview.log",
    # A moment's work.
    localrule: True
    conda:
        "../envs/scanmill.yaml"
    params:
        specification=SETTINGS.cohort_page,
        library=library("overview"),
    message:
        "overview: the page of the cohort"
    script:
        "../scripts/overview.py"
