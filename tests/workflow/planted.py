"""A small cohort on disk: one patient, an organ with a ball in it, as files of every format.

The patient's name is planted wherever a file, its header or its folder can hold one.
"""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom.uid import generate_uid
from scanmill.phantom.description import grid_of, patient_of
from scanmill.phantom.rendering import majority, signal, visible_occupancy
from scanmill.volume_file import Volume
from source_samples import write_series

NAME = "SECRETNAME^PATIENT"
HU = {"air": -1000, "organ": 40, "ball": 300}
PATIENT = patient_of(
    {
        "background": HU["air"],
        "position": [21, -33, -402],
        "structures": [
            {
                "name": "organ",
                "label": 1,
                "intensity": HU["organ"],
                "body": {"ellipsoid": {"radii": [26, 20, 23], "turn": [20, -35, 50]}},
            },
            {
                "name": "ball",
                "label": 2,
                "intensity": HU["ball"],
                "body": {"sphere": {"radius": 13, "centre": [2, 1, -1]}},
            },
        ],
    }
)
TRUTH = {truth["name"]: truth for truth in PATIENT.truth()}
STRUCTURE = """
  - name: {name}
    label: {label}
    code: {{scheme: 99TEST, value: {name}, meaning: {name}}}
    colour: "#dd8265"
    segment: {segment}
"""
BY_RULES = (
    "{method: rules, steps: [{window: [-480, null]}, {largest: 1}]}",
    "{method: rules, steps: [{inside: organ}, {window: [170, null]}]}",
)
BY_LABELS = ("{method: labels}", "{method: labels}")


def recipe(segments=BY_RULES, spacing=1.25) -> str:
    """The text of a recipe for the organ and the ball."""
    named = zip(TRUTH.items(), segments, strict=True)
    structures = [
        STRUCTURE.format(name=name, label=truth["label"], segment=segment)
        for (name, truth), segment in named
    ]
    head = f"description: an organ and a ball\nmodality: CT\nspacing: {spacing}\nstructures:"
    return head + "".join(structures)


def scan(axes="LPS", turn=(0, 0, 0)) -> tuple[Volume, Volume]:
    """A scan of the patient and its label map, with partial volume, anisotropic and shifted."""
    grid = grid_of(
        {
            "size": [62, 54, 30],
            "spacing": [1.1, 1.3, 2.4],
            "centre": [22.2, -32.1, -402.7],
            "axes": axes,
            "turn": turn,
        }
    )
    visible = visible_occupancy(PATIENT, grid)
    image = np.rint(signal(PATIENT, visible)).astype(np.int16)
    return Volume(image, grid), Volume(majority(PATIENT, visible), grid)


def write_all(folder: Path) -> Path:
    """A sheet of five cases: DICOM, NRRD and NIfTI that are right, one empty structure, one corrupt."""
    secret = folder / NAME
    secret.mkdir(parents=True)
    (secret / "by-rules.yaml").write_text(recipe())
    (secret / "by-labels.yaml").write_text(recipe(BY_LABELS))
    write_dicom(secret / f"{NAME} CT")
    write_nifti(secret / f"{NAME}.nii.gz", scan("RAS", (12, -20, 5))[0])
    image, labels = scan("PIL")
    write_itk(secret / f"{NAME}.nrrd", image)
    write_nifti(secret / f"{NAME}_labels.nii.gz", labels)
    plain, _ = scan()
    plain.array = np.minimum(plain.array, HU["organ"])
    write_itk(secret / f"{NAME}.mha", plain)
    noise = np.random.default_rng(1).bytes(5000)
    (secret / f"{NAME}_corrupt.nii.gz").write_bytes(noise)
    lines = [
        ("case", "scan", "recipe", "labels", "site"),
        ("dicom", f"{NAME} CT", "by-rules.yaml", "", "007"),
        ("nifti", f"{NAME}.nii.gz", "by-rules.yaml", "", "n/a"),
        ("nrrd", f"{NAME}.nrrd", "by-labels.yaml", f"{NAME}_labels.nii.gz", ""),
        ("mha-no-ball", f"{NAME}.mha", "by-rules.yaml", "", "Graz"),
        ("corrupt", f"{NAME}_corrupt.nii.gz", "by-rules.yaml", "", "Graz"),
    ]
    sheet = secret / "scans.tsv"
    sheet.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return sheet


def write_dicom(folder: Path) -> None:
    """A CT series with the name in every attribute that people put it in."""
    volume, _ = scan("LPS", (8, 15, -30))
    order = np.random.default_rng(2).permutation(len(volume.array)).tolist()
    fields = {
        "PatientName": NAME,
        "PatientID": NAME,
        "OtherPatientIDs": NAME,
        "PatientComments": NAME,
        "StudyDescription": NAME,
        "SeriesDescription": NAME,
        "ProtocolName": NAME,
        "ReferringPhysicianName": NAME,
        "InstitutionName": NAME,
        "ImageComments": NAME,
        "StudyInstanceUID": generate_uid(),
    }
    write_series(folder, volume, order, **fields)
    for path in list(folder.iterdir()):
        path.rename(path.with_name(f"{NAME}_{path.name}"))


def write_nifti(path: Path, volume: Volume) -> None:
    """A NIfTI with the name in all of its texts, in an extension and in the gzip header."""
    grid = volume.grid
    ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine = ras @ np.vstack([np.column_stack([grid.axes, grid.origin]), [0, 0, 0, 1]])
    image = nib.Nifti1Image(volume.array.T, affine)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", NAME.encode()))
    for field, size in (("descrip", 80), ("aux_file", 24), ("intent_name", 16), ("db_name", 18)):
        image.header[field] = NAME.encode()[:size]
    with open(path, "wb") as raw, gzip.GzipFile(NAME, "wb", fileobj=raw) as stream:
        stream.write(image.to_bytes())


def write_itk(path: Path, volume: Volume) -> None:
    """A NRRD or MetaImage with the name in key and value pairs."""
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing(volume.grid.spacing)
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    for key in ("Comment", "Name", "PatientName", NAME.partition("^")[0]):
        image.SetMetaData(key, NAME)
    sitk.WriteImage(image, str(path), useCompression=True)
