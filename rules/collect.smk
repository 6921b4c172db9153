rule collect:
    # The cohort's table with its dictionary, how each case ended, and where all of it came from.
    input:
        measurements=expand(rules.measure.output.measurements, case=CASES),
        sidecars=expand(rules.measure.output.sidecar, case=CASES),
        agreements=expand(rules.agreement.output.sidecar, case=REFERRED),
        exports=exported_objects(),
        # Not read: pages are made with their cases, in batches (`--batch collect=1/3`) too.
        pages=case_pages(),
    output:
        **cohort_tables(),
    log:
        "logs/collect.log",
    benchmark:
        "benchmarks/collect.tsv"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("collect"),
        runtime=minutes("collect"),
    params:
        sheet=told_sheet(),
        settings={
            "formats": SETTINGS.formats,
            "parquet": SETTINGS.parquet,
            "report": SETTINGS.report,
            "cohort_page": SETTINGS.cohort_page,
            "check": SETTINGS.check,
            "shape_models": known_shapes(),
            "export": SETTINGS.export,
            "export_identity": SETTINGS.export_identity,
            "statistics": SETTINGS.statistics,
        },
        recipes=lambda wildcards: described_recipes(),
        libraries={stage: library(stage) for stage in (*STAGES, *ON_REQUEST)},
        benchmarks="benchmarks",
        library=library("collect"),
    message:
        "collect: the table of the cohort"
    script:
        "../scripts/collect.py"
