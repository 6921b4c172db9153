"""What a network is to learn from: the labelled scans of a cohort, along the network's axes."""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid, bounding_box
from scanmill.learning.design import AXES, Design, Survey, design
from scanmill.model_folder import Model
from scanmill.refusal import Refusal
from scanmill.segmentation import Exemplar
from scanmill.segmentation.exemplars import read, usable
from scanmill.segmentation.inference import normalised
from scanmill.segmentation.network import likeliest
from scanmill.segmentation.reorientation import onto, patient_grid
from scanmill.stage import Record
from scanmill.volume_file import Volume

# Of the intensities of what is labelled, so many of each scan tell of all.
MOST_INTENSITIES = 50_000


@dataclass(frozen=True)
class Labelled:
    """A labelled scan: its isotropic volume, and its labels 0, 1, 2, ... on the same grid."""

    scan: Volume
    labels: Volume


class Cohort:
    """The labelled scans of a cohort that can be read, each read when it is needed.

    structures: their labels by name, which become 1, 2, ... in their order. Raises Refusal
    `atlases-missing` where fewer than two scans are left.
    """

    def __init__(
        self, exemplars: list[Exemplar], structures: dict[str, int], record: Record
    ) -> None:
        self._exemplars = usable(exemplars, 2, record)
        self._structures = structures

    def __len__(self) -> int:
        return len(self._exemplars)

    def __getitem__(self, number: int) -> Labelled:
        return Labelled(*read(self._exemplars[number], list(self._structures.values())))

    def design(self, modality: str) -> Design:
        """What a network for these scans looks at.

        Raises Refusal `atlases-missing` where no scan has one of the structures.
        """
        surveys = [survey(self[number]) for number in range(len(self))]
        for n, name in enumerate(self._structures, 1):
            if not any(n in known.labels for known in surveys):
                raise Refusal(
                    "atlases-missing",
                    f"the structure {name} has no voxel in any of the {len(self)} atlases; labels of "
                    "it in most of them would be right",
                )
        return design(surveys, modality)


def survey(known: Labelled) -> Survey:
    """What a labelled scan tells a design."""
    grid = known.scan.grid
    finest = min(grid.spacing)
    seen = patient_grid(grid, AXES, (finest,) * 3)
    mask = known.labels.array > 0
    box = [part.stop - part.start for part in bounding_box(mask)]
    found = known.scan.array[mask]
    return Survey(
        finest,
        tuple(n * finest for n in seen.shape),
        tuple(float(n * step) for n, step in zip(box, grid.spacing[::-1], strict=True)),
        found[:: 1 + len(found) // MOST_INTENSITIES].astype(float),
        frozenset(int(n) for n in np.unique(known.labels.array)),
    )


def arrays(known: Labelled, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """The image, normalised, and the labels of a labelled scan, [a, b, c] along the network's axes."""
    seen = patient_grid(known.scan.grid, model.axes, model.spacing)
    image = normalised(onto(known.scan, seen).array, model)
    return image, labels_on(seen, known.labels, len(model.classes))


def labels_on(target: Grid, labels: Volume, classes: int) -> np.ndarray:
    """Labels on another grid with the same centre: the one of which most lies in each voxel."""
    shares = [onto(_share(labels, n), target).array for n in range(classes)]
    return likeliest(np.stack(shares), target, target)


def held_by(fold: int, folds: int, number: int) -> list[int]:
    """The numbers of the labelled scans that the network of a fold, from 0, is not shown."""
    return list(range(fold, number, folds))


def _share(labels: Volume, n: int) -> Volume:
    return Volume((labels.array == n).astype(np.float32), labels.grid)
