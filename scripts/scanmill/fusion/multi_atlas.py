"""A scan segmented by atlases: each registered to it, fused, and held against the scan's own look."""

from dataclasses import dataclass

import numpy as np

from scanmill.fusion.candidate import Candidate, Posterior
from scanmill.fusion.intensities import sharpened
from scanmill.fusion.joint import fuse
from scanmill.refusal import Refusal
from scanmill.registration.affine import affine_between
from scanmill.registration.diffeomorphic import deform
from scanmill.registration.pyramid import normalised, pyramid
from scanmill.volume_file import Volume

# Atlases that are deformed onto a scan: more cost time and tell little new.
MOST = 20


@dataclass
class Atlas:
    """A labelled scan, with what registration needs of it, made once for all targets.

    image: normalised. labels: from 0, background, up; on any grid of the same space. finest: the
    spacing, mm, that it is registered at. levels: its pyramid.
    """

    image: Volume
    labels: Volume
    finest: float
    levels: list[Volume]

    @classmethod
    def of(cls, image: Volume, labels: Volume, finest: float) -> "Atlas":
        """An atlas of a scan and its label map. Raises Refusal where the scan has no contrast."""
        scaled = normalised(image)
        return cls(scaled, labels, finest, pyramid(scaled, finest))


def segmented(scan: Volume, atlases: list[Atlas], count: int, most: int = MOST) -> Posterior:
    """How likely each of `count` labels is at each voxel of a scan, on its grid.

    The atlases are of one modality with the scan and have one `finest`; of many, the `most` that look
    most like it have a say. Raises Refusal where the scan has no contrast, or no atlas fits.
    """
    target = normalised(scan)
    levels = pyramid(target, atlases[0].finest)
    candidates = []
    for atlas, affine in alike(levels, atlases)[:most]:
        transform = deform(levels, atlas.levels, affine)
        candidates.append(Candidate.of(transform, atlas.image, atlas.labels, target))
    return sharpened(fuse(target.array, candidates, count), target.array)


def alike(levels: list[Volume], atlases: list[Atlas]) -> list[tuple[Atlas, np.ndarray]]:
    """The atlases with their affine maps, LPS mm, from a scan; those most like it first.

    levels: the scan's pyramid. Atlases that show nothing in common with it are left out. Raises Refusal
    where all are.
    """
    found, refusal = [], None
    for atlas in atlases:
        try:
            agreement, affine = affine_between(levels, atlas.levels)
        except Refusal as refused:
            refusal = refused
        else:
            found.append((agreement, atlas, affine))
    if not found:
        raise refusal
    found.sort(key=lambda each: -each[0])
    return [(atlas, affine) for _, atlas, affine in found]
