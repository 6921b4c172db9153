"""What earlier stages of a case have left, written by hand, so that a stage can be run alone."""

from pathlib import Path

import numpy as np
from bodies import grid_over, mask_of
from scanmill.label_map import Doubt, LabelMap, Region
from scanmill.label_map_files import write_doubts, write_label_map
from scanmill.phantom.body import Ellipsoid, sphere
from scanmill.phantom.description import turned
from scanmill.sidecar import write_sidecar
from scanmill.volume_file import Volume, write_volume

OK = {"status": "ok", "stage": "ingest", "code": None, "reason": None, "warnings": []}
REFUSED = OK | {"status": "refused", "code": "is-4d", "reason": "4 volumes; one is right"}

# A ball within an ellipsoid, turned, shifted, scanned on an oblique left-handed grid of cubic voxels.
CENTRE = (61.3, -112.7, -402.9)
BALL = sphere(9, CENTRE)
ORGAN = Ellipsoid(radii=(19, 14, 16), centre=CENTRE, rotation=tuple(turned((20, -35, 50)).ravel()))
LEFT_HANDED = turned((-15, 40, 10)) @ np.diag([1, -1, 1])
GRID = grid_over(ORGAN, (1.0, 1.0, 1.0), LEFT_HANDED)
LABELS = {"organ": 3, "ball": 7}
HU = {"air": -1000, "organ": 40, "ball": 300}


def organ() -> np.ndarray:
    """The mask of the ellipsoid, ball included."""
    return mask_of(ORGAN, GRID)


def ball() -> np.ndarray:
    """The mask of the ball."""
    return mask_of(BALL, GRID)


def image() -> np.ndarray:
    """The scan: HU without noise."""
    return np.select([ball(), organ()], [HU["ball"], HU["organ"]], HU["air"]).astype(np.int16)


def put_volume(path: Path, array: np.ndarray, grid=GRID) -> Path:
    """A volume and its sidecar."""
    write_volume(path, Volume(array, grid))
    native = {"native_size": list(grid.size), "native_spacing_mm": list(grid.spacing)}
    write_sidecar(path, OK | native)
    return path


def put_label_map(folder: Path, said=None, **masks: np.ndarray) -> dict[str, Path]:
    """labels.nii.gz and overlaps/ of masks (later ones on earlier ones), by input name."""
    paths = {"labels": folder / "labels.nii.gz", "overlaps": folder / "overlaps"}
    label_map = LabelMap.empty(GRID, max(LABELS.values()))
    for name, mask in masks.items():
        label_map.paint(LABELS[name], Region.of(mask))
    write_label_map(*paths.values(), label_map, LABELS)
    for path in paths.values():
        write_sidecar(path, OK | {"stage": "segment"} | (said or {}))
    return paths


def put_doubts(folder: Path, **doubts: Doubt) -> Path:
    """doubts/ of a case. doubts: by structure."""
    path = folder / "doubts"
    write_doubts(path, doubts, GRID)
    write_sidecar(path, OK | {"stage": "segment"})
    return path


def put_refused(path: Path) -> Path:
    """What a stage leaves of a result that it declined to make."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.touch()
    else:
        path.mkdir()
    write_sidecar(path, REFUSED)
    return path


def assert_refusal_passed_on(said: dict, *results: Path) -> None:
    """The sidecar repeats the refusal of ingest, and the results are empty."""
    assert {key: said[key] for key in ("status", "stage", "code", "reason")} == {
        key: REFUSED[key] for key in ("status", "stage", "code", "reason")
    }
    for path in results:
        assert not list(path.iterdir()) if path.is_dir() else path.stat().st_size == 0
