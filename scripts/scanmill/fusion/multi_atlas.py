"""A scan segmented by atlases: each registered to it, fused, and held against the scan's own look."""

from dataclasses import dataclass

from scanmill.fusion.candidate import Candidate, Posterior
from scanmill.fusion.intensities import sharpened
from scanmill.fusion.joint import fuse
from scanmill.refusal import Refusal
from scanmill.registration.diffeomorphic import register_pyramids
from scanmill.registration.pyramid import normalised, pyramid
from scanmill.volume_file import Volume


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


def segmented(scan: Volume, atlases: list[Atlas], count: int) -> Posterior:
    """How likely each of `count` labels is at each voxel of a scan, on its grid.

    The atlases are of one modality with the scan and have one `finest`; those that show nothing in
    common with it have no say. Raises Refusal where the scan has no contrast, or no atlas fits.
    """
    target = normalised(scan)
    levels = pyramid(target, atlases[0].finest)
    candidates, refusal = [], None
    for atlas in atlases:
        try:
            transform = register_pyramids(levels, atlas.levels)
        except Refusal as refused:
            refusal = refused
        else:
            candidates.append(Candidate.of(transform, atlas.image, atlas.labels, target))
    if not candidates:
        raise refusal
    return sharpened(fuse(target.array, candidates, count), target.array)
