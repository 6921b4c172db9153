"""Small scans of known voxels and place, written by the libraries that others write theirs with."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from hypothesis import strategies as st
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scanmill.grid import Grid
from scanmill.volume_file import Volume
from scipy.spatial.transform import Rotation

CT = "1.2.840.10008.5.1.4.1.1.2"
COUNT = 7 * 6 * 5


def tilted(shape=(5, 6, 7), dtype=np.int16) -> Volume:
    """An oblique, anisotropic, shifted volume, every voxel of another value."""
    direction = Rotation.from_euler("zyx", [20, -35, 70], degrees=True).as_matrix()
    grid = Grid(shape[::-1], (0.7, 0.9, 2.5), (-31.5, 12.25, 70.0), tuple(direction.ravel()))
    return Volume(np.arange(np.prod(shape)).reshape(shape).astype(dtype), grid)


def write_itk(path: Path, volume: Volume, compressed: bool = False) -> Path:
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing(volume.grid.spacing)
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    sitk.WriteImage(image, str(path), useCompression=compressed)
    return path


def write_series(folder: Path, volume: Volume, order=None, **fields) -> Path:
    """One file per slice: positions along the grid's z axis, names in another order."""
    folder.mkdir(parents=True, exist_ok=True)
    series, frame = generate_uid(), generate_uid()
    columns = np.reshape(volume.grid.direction, (3, 3)).T
    for k, pixels in enumerate(volume.array):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CT
        meta.MediaStorageSOPInstanceUID = generate_uid()
        slice_ = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        slice_.SOPClassUID, slice_.SOPInstanceUID = CT, meta.MediaStorageSOPInstanceUID
        slice_.SeriesInstanceUID, slice_.FrameOfReferenceUID = series, frame
        slice_.Modality, slice_.PatientName, slice_.PatientID = "CT", "Doe^Jane", "secret-17"
        slice_.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        slice_.Rows, slice_.Columns = pixels.shape
        slice_.PixelSpacing = [volume.grid.spacing[1], volume.grid.spacing[0]]
        slice_.ImageOrientationPatient = [f"{x:.12f}" for x in columns[:2].ravel()]
        position = volume.grid.to_physical(np.array([0, 0, k]))
        slice_.ImagePositionPatient = [f"{x:.9f}" for x in position]
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated = slice_.BitsStored = 16
        slice_.HighBit, slice_.PixelRepresentation = 15, int(pixels.dtype.kind == "i")
        slice_.RescaleSlope, slice_.RescaleIntercept = 1, 0
        slice_.PixelData = pixels.tobytes()
        for name, value in fields.items():
            if value is None:
                delattr(slice_, name)
            else:
                setattr(slice_, name, value(k) if callable(value) else value)
        slice_.save_as(folder / f"{(order or range(99))[k]:03}.dcm", enforce_file_format=True)
    return folder


@st.composite
def grids(draw, size=(7, 6, 5), proper=False) -> Grid:
    """Grids of any orientation (mirrored ones too, unless proper), anisotropic and shifted."""
    angles = [draw(st.floats(-180, 180)) for _ in range(3)]
    direction = Rotation.from_euler("zyx", angles, degrees=True).as_matrix()
    direction = direction[:, draw(st.permutations(range(3)))]
    direction = direction * [draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)]
    if proper:
        direction[:, 2] = np.cross(direction[:, 0], direction[:, 1])
    spacing = tuple(draw(st.sampled_from([0.3, 0.7, 0.9765625, 1.0, 2.5, 6.0])) for _ in range(3))
    origin = tuple(draw(st.integers(-4000, 4000)) / 10 for _ in range(3))
    return Grid(size, spacing, origin, tuple(direction.ravel()))


def assert_same_body(read: Volume, wrote: Volume, tolerance: float = 1e-4) -> None:
    """The same values at the same LPS points, however the axes of the two arrays run."""
    index = np.stack(np.unravel_index(np.arange(wrote.array.size), wrote.array.shape)[::-1], -1)
    at = read.grid.to_index(wrote.grid.to_physical(index))
    nearest = np.rint(at).astype(int)
    assert read.grid.size and sorted(read.grid.size) == sorted(wrote.grid.size)
    assert np.abs((at - nearest) * read.grid.spacing).max() < tolerance
    assert (nearest >= 0).all() and (nearest < read.grid.size).all()
    found = read.array[nearest[:, 2], nearest[:, 1], nearest[:, 0]]
    np.testing.assert_array_equal(found, wrote.array.ravel())
