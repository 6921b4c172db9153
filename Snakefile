# ScanMill: raw CT and MR scans in; volumes, label maps, surfaces and one table of measurements out.
# The flow, one rule and one script a stage:
#   sheet (-> fetch) -> ingest -> resample -> segment -> mesh (-> centreline -> simulate) -> measure
#   (-> agreement, export, report) -> collect (-> compare, vary -> check, groups) -> describe -> overview
from snakemake.utils import min_version

min_version("9.20")


configfile: workflow.source_path("config/config.yaml")


include: "rules/common.smk"
include: "rules/sources.smk"
include: "rules/teachers.smk"
include: "rules/resources.smk"
include: "rules/cohort.smk"
include: "rules/interrupted.smk"
include: "rules/progress.smk"
include: "rules/phantom.smk"
include: "rules/fetch.smk"
include: "rules/ingest.smk"
include: "rules/resample.smk"
include: "rules/learn.smk"
include: "rules/shape.smk"
include: "rules/segment.smk"
include: "rules/mesh.smk"
include: "rules/centreline.smk"
include: "rules/simulate.smk"
include: "rules/measure.smk"
include: "rules/agreement.smk"
include: "rules/export.smk"
include: "rules/report.smk"
include: "rules/collect.smk"
include: "rules/compare.smk"
include: "rules/vary.smk"
include: "rules/check.smk"
include: "rules/groups.smk"
include: "rules/describe.smk"
include: "rules/overview.smk"


rule all:
    default_target: True
    input:
        cohort_results(),
        interrupted_stages,


onstart:
    begin_journal()


onsuccess:
    tell(summary())


onerror:
    tell(FAILURE)
