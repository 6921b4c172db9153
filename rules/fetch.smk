rule fetch:
    # A series of a PACS, whole and as it is stored there. It holds the patient's identity, so it is not
    # among the results, and goes once it has been read.
    input:
        asked=lambda wildcards: query_card(wildcards.case, wildcards.part),
    output:
        download=temp(directory("downloads/{case}/{part}")),
        sidecar="downloads/{case}/{part}.json",
    log:
        "logs/{case}/fetch-{part}.log",
    benchmark:
        "benchmarks/{case}/fetch-{part}.tsv"
    wildcard_constraints:
        part="scan|labels|reference",
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("fetch"),
        runtime=minutes("fetch"),
        attempt=attempt_number,
        pacs=1,
    params:
        library=library("fetch"),
    message:
        "{wildcards.case}: fetch {wildcards.part}"
    script:
        "../scripts/fetch.py"
