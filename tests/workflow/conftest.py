"""Cohorts that are run once and looked at by many tests."""

import planted
import pytest
from mill import copied, mill


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """The results of the shipped example cohort, on two cores."""
    return mill(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="session")
def of_files(tmp_path_factory):
    """The results of a cohort of files of every format, with Parquet and all formats of surfaces."""
    folder = tmp_path_factory.mktemp("files")
    sheet = planted.write_all(tmp_path_factory.mktemp("scans"))
    config = f"scans={sheet}", "parquet=true", "formats=[ply, stl, obj, vtp]"
    return mill(folder, "--config", *config)


@pytest.fixture
def workshop(tmp_path):
    """A copy of the workflow to change, and a folder with a sheet of one scan."""
    folder = tmp_path / "folder"
    folder.mkdir()
    planted.write_itk(folder / "one.nrrd", planted.scan()[0])
    (folder / "recipe.yaml").write_text(planted.recipe())
    (folder / "config.yaml").write_text("scans: scans.tsv\nrecipe: recipe.yaml\n")
    (folder / "scans.tsv").write_text("case\tscan\none\tone.nrrd\n")
    return copied(tmp_path / "copy"), folder
