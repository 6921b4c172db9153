# What is told of a run: its journal, and how it ended.
from snakemake.logging import logger
from snakemake.settings.enums import Quietness

from scanmill.progress.journal import JOURNAL, Journal

FAILURE = "Some jobs failed; the other cases were done. The messages above name rule, case and log."


def begin_journal():
    """Note from now on what the run does, for the terminal and for `make status`.

    Under `--quiet progress` Snakemake does not tell what has finished, and nothing is noted.
    """
    JOURNAL.unlink(missing_ok=True)
    if Quietness.PROGRESS in (workflow.output_settings.quiet or ()):
        return
    jobs = [
        {
            "id": job.jobid,
            "rule": job.rule.name,
            "case": job.wildcards_dict.get("case", ""),
            "log": str(job.log[0]) if job.log else "",
            "seconds": expected_seconds(job),
        }
        for job in workflow.dag.needrun_jobs()
    ]
    logger.addHandler(Journal(jobs, CASES))


def tell(text):
    """Print how the run ended, after the live line has gone, if there is one."""
    for handler in workflow.logger_manager.get_log_handlers():
        handler.flush()
    print(text)


def summary():
    """One line for the person who waits: how the cases ended, and where the table is."""
    path = Path("results/cohort/cases.tsv")
    if not path.exists():
        return "Done."
    states = [line.split("\t")[1] for line in path.read_text().splitlines()[1:]]
    parts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    return f"{len(states)} cases: {', '.join(parts)}. Table: results/cohort/measurements.csv"
