"""Files below a folder are found once, through links; what may not be looked at stops no run."""

from pathlib import Path

import pytest
from scanmill import disk


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "scan"
    (root / "a").mkdir(parents=True)
    (root / "a/1").write_bytes(b"one")
    (root / "2").write_bytes(b"fifteen letters")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/3").write_bytes(b"")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "a/round").symlink_to(root)
    (root / "gone").symlink_to(tmp_path / "nowhere")
    (root / "itself").symlink_to(root / "itself")
    return root


def sizes(path):
    return {file.relative_to(path).as_posix(): entry.st_size for file, entry in disk.files(path)}


def test_each_file_is_found_once(folder):
    assert sizes(folder) == {"2": 15, "a/1": 3, "linked/3": 0}
    assert [entry.st_size for _, entry in disk.files(folder / "2")] == [15]
    assert disk.files(folder / "gone") == []


def test_what_may_not_be_looked_at_is_left_out(folder, monkeypatch):
    before = Path.stat

    def guarded(path, *args, **kwargs):
        if path.name == "1":
            raise PermissionError(13, "Permission denied", str(path))
        return before(path, *args, **kwargs)

    monkeypatch.setattr(Path, "stat", guarded)
    assert sizes(folder) == {"2": 15, "linked/3": 0}


def test_a_folder_that_cannot_be_listed_is_told(tmp_path):
    errors = []
    assert list(disk.walk(tmp_path / "gone", errors.append)) == []
    assert isinstance(errors[0], FileNotFoundError)
