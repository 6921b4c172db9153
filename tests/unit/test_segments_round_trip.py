"""What is exported is read back voxel by voxel, also masks that are hard for contours."""

import numpy as np
import pytest
from export_samples import FRAME, GRIDS, masks_on, source_on, structure
from scanmill.export.identity import Original
from scanmill.export.instance import write_object
from scanmill.export.segmentation_object import binary_segmentation, label_map_segmentation
from scanmill.export.structure_set import structure_set
from scanmill.source.segments import read_segments

MAKERS = {
    "seg": binary_segmentation,
    "labelmap": label_map_segmentation,
    "rtstruct": structure_set,
}


def on_grid(mask, grid) -> np.ndarray:
    """A mask on a grid that has its voxels, whatever the order of its axes."""
    index = np.argwhere(mask.array)[:, ::-1] + mask.start
    place = grid.to_index(mask.lattice.to_physical(index))
    assert np.abs(place - np.rint(place)).max(initial=0) < 1e-3
    array = np.zeros(grid.shape, bool)
    array[tuple(np.rint(place).astype(int).T[::-1])] = True
    return array


@pytest.mark.parametrize("form", MAKERS)
@pytest.mark.parametrize("name", GRIDS)
def test_every_voxel_comes_back(tmp_path, name, form):
    grid, path = GRIDS[name], tmp_path / "object.dcm"
    masks = masks_on(grid)
    if form == "labelmap":
        masks = {key: masks[key] for key in ("two pieces", "tube with a hole")}
        masks["tube with a hole"] &= ~masks["two pieces"]
    structures = [structure(key.replace(" ", "-"), mask) for key, mask in masks.items()]
    write_object(path, MAKERS[form](structures, source_on(grid, Original())))
    segments = read_segments(path, grid)
    assert [segment.name for segment in segments.listed] == [s.name for s in structures]
    assert {segment.frame_of_reference for segment in segments.listed} == {FRAME}
    for number, truth in enumerate(masks.values()):
        mask, notes = segments.mask(number)
        assert np.array_equal(on_grid(mask, grid), truth)
        assert notes == []
