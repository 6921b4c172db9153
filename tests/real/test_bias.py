"""The bias field of real MR: tissues that are labelled get purer, or stay as they were."""

import numpy as np
import pytest
import SimpleITK as sitk
from bodies import DATA
from scanmill.corrections.bias import find_bias, without_bias

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here"),
]
FEW_VOXELS = 200


def variations(scan, labels) -> tuple[np.ndarray, np.ndarray]:
    """Coefficient of variation of each labelled tissue before and after, where a field was found."""
    image = sitk.ReadImage(DATA / scan)
    before = np.maximum(sitk.GetArrayFromImage(image), 0)
    found = find_bias(before, image.GetSpacing())
    after = without_bias(before, found) if found and found.accepted else before
    rows = []
    for name in labels:
        mask = sitk.Resample(
            sitk.ReadImage(DATA / name), image, sitk.Transform(), sitk.sitkNearestNeighbor
        )
        array = sitk.GetArrayFromImage(mask)
        for label in np.unique(array)[1:]:
            where = (array == label) & (before > 0)
            if np.count_nonzero(where) > FEW_VOXELS:
                rows.append([a[where].std() / a[where].mean() for a in (before, after)])
    return tuple(np.array(rows).T)


def test_brain_and_skull_of_a_head_get_purer():
    before, after = variations("seg3d_mr/MR.nii.gz", ["seg3d_mr/Brain.nrrd", "seg3d_mr/Skull.nrrd"])
    assert len(before) == 2 and (after < 0.98 * before).all()


def test_organs_of_a_thin_slab_stay_as_pure_as_they_were():
    """60 mm of a trunk: a field would make 10 of 18 organs less pure."""
    scan, labels = "example_mr_sm.nii.gz", "example_seg_mr.nii.gz"
    before, after = variations(f"totalsegmentator/{scan}", [f"totalsegmentator/{labels}"])
    assert len(before) > 10
    np.testing.assert_array_equal(before, after)


def test_no_region_of_a_corrected_atlas_gets_less_pure():
    before, after = variations("atlas_multilabel/ch2.nii.gz", ["atlas_multilabel/aal.nii.gz"])
    assert len(before) > 100
    assert (after <= 1.001 * before).all()


@pytest.mark.parametrize("number", ["003", "020", "026"])
def test_a_crop_of_a_few_centimetres_has_no_field(number):
    name = f"hippocampus_{number}.nii.gz"
    before, after = variations(f"msd_hippocampus/images/{name}", [f"msd_hippocampus/labels/{name}"])
    assert len(before) == 2
    np.testing.assert_array_equal(before, after)
