"""The labelled scans of a cohort, as earlier stages left them: atlases, and what networks learn."""

import numpy as np

from scanmill.refusal import Refusal
from scanmill.segmentation import Exemplar
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record
from scanmill.volume_file import Volume, read_volume


def usable(exemplars: list[Exemplar], least: int, record: Record) -> list[Exemplar]:
    """Those that no stage refused; the record is warned of the others.

    Raises Refusal `atlases-missing` where fewer than `least` are left.
    """
    ready = [one for one in exemplars if read_sidecar(one.labels)["status"] == "ok"]
    spoiled = len(exemplars) - len(ready)
    if len(ready) < least:
        none = "none" if not ready else f"only {len(ready)}"
        raise Refusal(
            "atlases-missing",
            f"{none} of the {len(exemplars)} atlases of the recipe could be read; their own sidecars "
            f"say why, and {least} would be right",
        )
    if spoiled:
        message = f"{spoiled} of {len(exemplars)} atlases could not be read and had no say"
        record.warn("atlases-missing", message)
    return ready


def read(exemplar: Exemplar, numbers: list[int]) -> tuple[Volume, Volume]:
    """A scan, and its labels as 1, 2, ... in the order of `numbers`, background elsewhere."""
    labels = read_volume(exemplar.labels)
    places = np.zeros(max(int(labels.array.max()), *numbers) + 1, np.min_scalar_type(len(numbers)))
    places[numbers] = range(1, len(numbers) + 1)
    return read_volume(exemplar.scan), Volume(places[labels.array], labels.grid)
