"""Whatever series can be read, its objects lie on its slices, refer to its images and are valid."""

import numpy as np
import pytest
from export_samples import CASE, KEY, errors_of, reader, structure
from highdicom.seg import segread
from quirks import CASES
from scanmill.export.identity import Pseudonyms
from scanmill.export.instance import write_object
from scanmill.export.segmentation_object import binary_segmentation
from scanmill.export.source_images import source_images
from scanmill.export.structure_set import structure_set
from scanmill.source.dicom import find_volume

READABLE = [case for case in CASES if case.stack and not case.optional]
# Their headers do not give an object all that it has to say.
HARD = ("table-wobble-fine", "to-tenths", "emptied", "emptied-series", "cardiac-phase-wobbling")
CHOSEN = [case for n, case in enumerate(READABLE) if n % 6 == 0 or case.name in HARD]


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_a_quirky_series_is_exported_on_its_slices(case, tmp_path):
    (tmp_path / "series").mkdir()
    path = case.write(tmp_path / "series")
    found = find_volume(path, case.series, case.volume, case.allow_uneven)
    source = source_images(found, Pseudonyms(KEY, CASE), CASE)
    mask = np.zeros(found.grid.shape, bool)
    mask[:, 2:-2, 3:-2] = np.random.default_rng(1).random(mask[:, 2:-2, 3:-2].shape) < 0.6
    parts = [structure("part", mask)]
    write_object(tmp_path / "seg.dcm", binary_segmentation(parts, source))
    read = segread(tmp_path / "seg.dcm").get_volume(rtol=0.1)
    index = np.argwhere(read.array[..., 0])
    own = np.rint(found.grid.to_index(read.map_indices_to_reference(index))).astype(int)
    back = np.zeros_like(mask)
    back[own[:, 2], own[:, 1], own[:, 0]] = True
    assert np.array_equal(back, mask)
    if reader("dciodvfy"):
        assert errors_of(tmp_path / "seg.dcm") == []
        if source.on_slices:
            write_object(tmp_path / "rtstruct.dcm", structure_set(parts, source))
            assert errors_of(tmp_path / "rtstruct.dcm") == []
