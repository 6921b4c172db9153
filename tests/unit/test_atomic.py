"""A file or a folder is there whole, or not at all."""

import os

import pytest
from scanmill.atomic import replacing, replacing_folder


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "deep" / "er" / "a.nii.gz"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == path.parent
        assert temporary.name.startswith(".")
        assert temporary.name.endswith(".nii.gz")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_the_old_one_whole(tmp_path):
    path = tmp_path / "surfaces"
    path.mkdir()
    (path / "stale.ply").touch()
    with replacing_folder(path) as folder:
        (folder / "new.ply").touch()
        assert (path / "stale.ply").exists()
    assert [p.name for p in path.iterdir()] == ["new.ply"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_folder_and_no_other(tmp_path):
    path = tmp_path / "surfaces"
    path.mkdir()
    (path / "old.ply").touch()
    with pytest.raises(RuntimeError), replacing_folder(path) as folder:
        (folder / "half.ply").touch()
        raise RuntimeError
    assert [p.name for p in path.iterdir()] == ["old.ply"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_remains_of_a_killed_job_with_this_process_id_do_not_matter(tmp_path):
    remains = tmp_path / f".{os.getpid()}-surfaces"
    remains.mkdir()
    (remains / "half.ply").touch()
    with replacing_folder(tmp_path / "surfaces") as folder:
        (folder / "new.ply").touch()
    assert [p.name for p in (tmp_path / "surfaces").iterdir()] == ["new.ply"]
