rule phantom:
    # An analytic patient for the example cohort: a scan whose true measures are known.
    output:
        scan="results/phantoms/{phantom}/scan.nii.gz",
        labels="results/phantoms/{phantom}/labels.nii.gz",
        truth="results/phantoms/{phantom}/truth.json",
    log:
        "logs/phantoms/{phantom}.log",
    benchmark:
        "benchmarks/phantoms/{phantom}.tsv"
    group:
        "case"
    conda:
        "../envs/scanmill.yaml"
    resources:
        mem_mb=memory("phantom"),
        runtime=minutes("phantom"),
    params:
        patient=described_phantom,
        library=library("phantom"),
    message:
        "phantom {wildcards.phantom}: an analytic patient"
    script:
        "../scripts/phantom.py"
