"""Expected trouble, as data: a code that programs can count and a sentence that a person can act on."""

CODES: dict[str, str] = {
    # fetch
    "pacs-none": "the PACS has no series that the sheet's cell describes",
    "pacs-several": "the PACS has more than one series that the sheet's cell describes",
    "pacs-denied": "the PACS refuses access",
    "pacs-incomplete": "the PACS delivers fewer instances than it states",
    # ingest: the file itself
    "source-missing": "the scan is not where the sheet says",
    "source-denied": "the scan, or a part of it, may not be read",
    "source-empty": "the file is empty",
    "data-missing": "the file of voxels that the header names is not there",
    "format-unknown": "the file is of no format that ScanMill reads",
    "format-mismatch": "the file's content is not what its extension says",
    "header-invalid": "the header breaks its format's rules",
    "data-truncated": "the file holds fewer voxels than its header declares",
    "data-corrupt": "the compressed voxels are damaged",
    "data-oversized": "the header declares more voxels than ScanMill accepts",
    "size-zero": "a dimension of the image is zero",
    "not-3d": "the image has fewer than two slices, or is not one volume in space",
    "is-4d": "the image holds several volumes",
    "is-colour": "the image holds colours or vectors, not one intensity per voxel",
    "type-unsupported": "the voxel type is not one that can be measured (complex, for example)",
    "values-not-finite": "voxels are NaN or infinite",
    # ingest: geometry
    "geometry-missing": "the file does not say where its voxels lie",
    "geometry-conflict": "the file says two different things about where its voxels lie",
    "geometry-invalid": "the spacing or the directions are impossible",
    # ingest: DICOM folders
    "dicom-empty": "the folder holds no DICOM image",
    "dicom-several": "the scan holds several series, and it is not clear which one is meant",
    "dicom-volumes": "the series holds several volumes, and it is not clear which one is meant",
    "dicom-patients": "the scan holds images of several patients",
    "dicom-irregular": "the series is not one regular stack of slices",
    "dicom-unsupported": "the series is of a kind that ScanMill does not read yet",
    # segment
    "not-hounsfield": "the recipe is for CT and the intensities are not Hounsfield units",
    "labels-missing": "the recipe asks for supplied labels and the sheet names none",
    "labels-unreadable": "the supplied labels cannot be read",
    "labels-elsewhere": "the supplied labels do not overlap the scan in physical space",
    "labels-frame": "the supplied labels are in another frame of reference than the scan",
    "labels-ambiguous": "several supplied labels could be the one that is meant",
    "structure-empty": "the structure has no voxel",
    "structure-skipped": "a structure that this one is built from has no voxel",
    "registration-failed": "two scans could not be brought onto each other",
    "seed-misses": "a seed of the recipe lies in no part of the structure",
    "seeds-missing": "the structure has no seed",
    "seeds-outside": "seeds of the structure lie outside the scan, or in the air around the patient",
    "seeds-conflict": "a voxel is a seed of two structures",
    "seeds-unbounded": "nothing bounds what grows from the seeds",
    "midline-unclear": "no plane that halves the patient is to be found in the scan",
    "scan-too-small": "the scan shows too little for the network that is to segment it",
    "network-not-finite": "a network finds NaN or infinity in the scan",
    "atlases-missing": "atlases could not be read",
    "shape-missing": "no shape model could be made of the atlases, or of the cohort's cases",
    "shape-cut": "a structure whose shape is to be compared is not there as a whole",
    "shape-alike": "all cases have one and the same shape",
    "shape-lost": "the shape model does not fit what was found of the structure",
    # mesh and measure
    "surface-open": "no closed surface could be built",
    "volume-uncertain": "half the interval of the volume is more than half the volume",
    # simulate
    "ends-unclear": "the vessel could not be cut open where its course ends",
    "mesher-failed": "the mesher crashed, or did not end",
    "wall-folded": "a wall of that thickness folds on the vessel's surface",
    "wall-crossed": "the walls of parts of a vessel run through each other",
    "wall-bare": "the structure that is the wall is not all around the vessel",
    "mesh-large": "a body would have more tetrahedra than can be meshed",
    "mesh-inverted": "tetrahedra are flat or inside out, or there is none",
    "part-lost": "a part, or all of a body, is too thin for the length of edges",
    "side-bare": "no face of the body looks to the side that is held or pressed",
    "solid-short": "all of the body is at its held and pressed sides",
    "vessel-short": "all of the vessel is near its ends, whose support is in its stress",
    "support-loose": "nothing holds the body, or a piece of it, where it is",
    "solver-missing": "the program that is to solve is not installed",
    "solver-failed": "the solver ended with an error, or without a result",
    "solver-memory": "solving is expected to take more memory than it may",
    "solver-slow": "the solver took longer than it may",
    # export
    "export-needs-dicom": "DICOM objects can only be made of a case whose scan is DICOM",
}


class Refusal(Exception):  # noqa: N818 - a refusal is no error
    """ScanMill declines to go on with a case, or a structure, and says why.

    code: a key of CODES. reason: one sentence with what was found and what would be right, free of
    paths, file names and header texts, since it travels into results.
    """

    def __init__(self, code: str, reason: str, stage: str | None = None) -> None:
        if code not in CODES:
            raise ValueError(f"'{code}' is not a refusal code")
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.stage = stage
