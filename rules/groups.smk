rule groups:
    # How groups of the cohort differ, where the config asks for it.
    input:
        measurements=rules.collect.output.measurements,
    output:
        **group_tables(),
    log:
        "logs/groups.log",
    # Seconds, of a table that is there.
    localrule: True
    conda:
        "../envs/scanmill.yaml"
    params:
        sheet=told_sheet(),
        structures={
            name: [structure["name"] for structure in SETTINGS.recipes[key].structures]
            for key, name in RECIPE_NAMES.items()
        },
        question=SETTINGS.statistics,
        library=library("groups"),
    message:
        "groups: comparison of groups"
    script:
        "../scripts/groups.py"
