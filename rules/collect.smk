rule collect:
    # The cohort's table with its dictionary, how each case ended, and where all of it came from.
    input:
        measurements=expand(rules.measure.output.measurements, case=CASES),
        sidecars=expand(rules.measure.output.sidecar, case=CASES),
        exports=exported_objects(),
        lock=ROOT / "envs" / "requirements.lock",
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
        cases={
            case: {"recipe": RECIPE_NAMES[row.recipe], "extra": row.extra}
            for case, row in CASES.items()
        },
        settings={
            "formats": SETTINGS.formats,
            "parquet": SETTINGS.parquet,
            "export": SETTINGS.export,
            "export_identity": SETTINGS.export_identity,
        },
        recipes=described_recipes(),
        benchmarks="benchmarks",
        library=library("collect"),
    message:
        "collect: the table of the cohort"
    script:
        "../scripts/collect.py"
