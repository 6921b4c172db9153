"""What a run would do where a structure is completed by the shape model of the cohort's atlases."""

import planted
import pytest
from mill import planned, snakemake

RECIPE = """\
description: Organ, completed
modality: any
spacing: 2
structures:
  - name: organ
    label: 1
    code: {scheme: 99LOCAL, value: O, meaning: Organ}
    colour: "#ff0000"
    segment: {method: rules, steps: [window: [100, null]]}
  - name: whole
    label: 2
    code: {scheme: 99LOCAL, value: W, meaning: Organ}
    colour: "#00ff00"
    segment: {method: shape, of: organ}
"""
SETTINGS = ("--config", "scans=scans.tsv", "recipe=shaped.yaml")


@pytest.fixture
def cohort(tmp_path):
    """A function that writes a sheet of so many atlases and two other scans."""
    image, labels = planted.scan()
    planted.write_itk(tmp_path / "scan.nrrd", image)
    planted.write_itk(tmp_path / "labels.nrrd", labels)
    (tmp_path / "shaped.yaml").write_text(RECIPE)

    def written(atlases):
        lines = ["case\tscan\tlabels\trole\n"]
        lines += [f"known-{n}\tscan.nrrd\tlabels.nrrd\tatlas\n" for n in range(atlases)]
        lines += [f"new-{n}\tscan.nrrd\t\t\n" for n in range(2)]
        (tmp_path / "scans.tsv").write_text("".join(lines))
        return tmp_path

    return written


def test_a_model_is_built_once_for_all_cases(cohort):
    jobs = planned(cohort(5), *SETTINGS)
    assert (jobs["shape"], jobs["segment"], jobs["measure"]) == (1, 7, 2)


def test_too_few_atlases_are_told_before_any_job(cohort):
    done = snakemake(cohort(4), "--dry-run", *SETTINGS)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "4 rows are atlases; 5 or more would be right" in done.stdout
