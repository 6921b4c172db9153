"""NIfTI-1 and NIfTI-2 single files, plain or gzipped.

`nifti_header` knows the fields; here is decided what of them to believe. Of the two placements that a
file can state, `sform` is taken where both are set, and both must say the same.
"""

from pathlib import Path

import numpy as np

from scanmill.grid import Grid, Size, Triple
from scanmill.refusal import Refusal
from scanmill.source.geometry import CONFLICT_LIMIT, assumed, check_spacing, grid_of, largest_move
from scanmill.source.inflate import head_of
from scanmill.source.layout import Layout, Note, parsing_header, size_of
from scanmill.source.nifti_header import LONGEST, Header, parse, qform, sform, spatial_unit

LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])
DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip
COLOURS = (128, 2304)
VECTOR_INTENT = 1007
# Of one unit, by its code: none stated, metre, millimetre, micrometre.
MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}


def nifti_layout(path: Path) -> Layout:
    """What a NIfTI file declares. Raises Refusal where that is not one volume in space."""
    gzipped, raw = head_of(path, LONGEST)
    with parsing_header():
        header, order = parse(raw)
        dtype = _dtype(header, order)
        size = _size(header)
        grid, notes = _grid(header, size)
        skip = _voxel_offset(header)
        slope, inter = _scaling(header)
    return Layout(
        path=path,
        grid=grid,
        dtype=dtype,
        offset=0 if gzipped else skip,
        deflated=gzipped,
        skip=skip if gzipped else 0,
        slope=slope,
        inter=inter,
        notes=tuple(notes),
    )


def _dtype(header: Header, order: str) -> np.dtype:
    code = int(header["datatype"])
    if code in COLOURS:
        raise Refusal(
            "is-colour", "the voxels are colours; one intensity or label per voxel is needed"
        )
    if code not in DTYPES:
        raise Refusal(
            "type-unsupported",
            f"NIfTI datatype {code} is read by nobody as intensities; use integers of 8 to 64 bits "
            "or floats of 32 or 64 bits",
        )
    dtype = np.dtype(order + DTYPES[code])
    if int(header["bitpix"]) != dtype.itemsize * 8:
        raise Refusal("header-invalid", "the header states two different numbers of bits per voxel")
    return dtype


def _size(header: Header) -> Size:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise Refusal("header-invalid", "the number of dimensions is not between 1 and 7")
    sizes = [int(n) for n in header["dim"][1 : count + 1]]
    if int(header["intent_code"]) == VECTOR_INTENT or (count >= 5 and sizes[4] > 1):
        raise Refusal(
            "is-colour", "each voxel holds a vector; one intensity or label per voxel is needed"
        )
    return size_of(sizes)


def _voxel_offset(header: Header) -> int:
    offset = float(header["vox_offset"])
    if not offset.is_integer() or offset < int(header["sizeof_hdr"]) + 4:
        raise Refusal("header-invalid", "the voxels would begin inside the header")
    return int(offset)


def _scaling(header: Header) -> tuple[float, float]:
    """Slope and intercept; a slope of 0, or none that is a number, says that values are as stored."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return 1.0, 0.0
    if not np.isfinite(inter):
        raise Refusal("header-invalid", "the intercept of the values is not a number")
    return slope, inter


def _grid(header: Header, size: Size) -> tuple[Grid, list[Note]]:
    unit = MILLIMETRES[spatial_unit(header)]
    # The shortest decimal that is this float: 0.7 comes back as 0.7 and not as 0.69999999.
    voxel = tuple(float(str(x)) for x in header["pixdim"][1:4])
    if int(header["qform_code"]) > 0:
        check_spacing(voxel)
    affines = [a for a in (sform(header), qform(header)) if a is not None]
    if not affines:
        return _unplaced(header, size, voxel, unit)
    if not all(np.isfinite(a).all() for a in affines):
        raise Refusal("geometry-invalid", "the position or the axes hold a NaN or infinite number")
    axes, origin = _lps(affines[0], unit)
    lengths = np.linalg.norm(axes, axis=0)
    check_spacing(tuple(lengths))
    if len(affines) == 2:
        other_axes, other_origin = _lps(affines[1], unit)
        moved = largest_move(size, axes, origin, other_axes, other_origin)
        if not moved <= CONFLICT_LIMIT:
            raise Refusal(
                "geometry-conflict",
                f"sform and qform place voxels up to {moved:.3g} voxels apart; keep the one that "
                "is true and set the code of the other to 0",
            )
    stated = np.multiply(voxel, unit)
    if np.allclose(stated, lengths, rtol=1e-5, atol=0):
        return grid_of(size, axes, origin, tuple(float(f"{x:.12g}") for x in stated)), []
    note = (
        "spacing-ignored",
        "The header's pixdim is not the spacing of its sform, which holds.",
    )
    spacing = tuple(float(str(np.float32(x))) for x in lengths)
    return grid_of(size, axes, origin, spacing), [note]


def _unplaced(
    header: Header,
    size: Size,
    voxel: Triple,
    unit: float,
) -> tuple[Grid, list[Note]]:
    """The grid of a file that gives a spacing and no placement (both codes 0).

    The spacing of such files, common in older research data, is used, so that sizes and shapes are
    measured; the axes are taken as by the format's method 1 (x to the right, y to the front, z up)
    and a warning says so. A spacing of 1, 1, 1 without a unit is what libraries write who were told
    nothing: that is not taken for a spacing.
    """
    untold = voxel == (1.0, 1.0, 1.0) and spatial_unit(header) == 0
    if untold or not any(voxel):
        raise Refusal(
            "geometry-missing",
            "the header gives neither spacing with a unit, nor sform, nor qform; set one of them",
        )
    spacing = tuple(float(f"{x * unit:.12g}") for x in voxel)
    check_spacing(spacing)
    grid = grid_of(size, np.diag(LPS_FROM_RAS * spacing), np.zeros(3), spacing)
    return grid, [
        assumed(
            "orientation and position (sform and qform codes are 0)",
            "x is taken to run to the right, y to the front, z upwards, from the origin",
        )
    ]


def _lps(affine: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    ras = np.asarray(affine, float)
    # Positions as the shortest decimals, like the spacing.
    origin = [float(str(np.float32(x))) for x in ras[:3, 3]]
    return LPS_FROM_RAS[:, None] * ras[:3, :3] * unit, LPS_FROM_RAS * origin * unit
