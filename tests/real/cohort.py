"""A cohort of real scans: writes a sheet over a folder of public scans (see its README).

python tests/real/cohort.py DATA SHEET
"""

import os
import sys
from pathlib import Path

RECIPES = Path(__file__).resolve().parent / "recipes"
TOTAL = "totalsegmentator"
DICOM = "dicom2nifti"


def rows(data: Path) -> list[dict[str, str]]:
    """One row per scan: case, scan, recipe and labels; paths relative to `data`."""

    def row(case, scan, recipe, labels=""):
        path = RECIPES / f"{recipe}.yaml"
        return {
            "case": case,
            "scan": scan,
            "recipe": str(path) if path.exists() else recipe,
            "labels": labels,
        }

    hippocampi = sorted((data / "msd_hippocampus/images").glob("*.nii.gz"))[:12]
    found = [
        row("ct-torso", f"{TOTAL}/example_ct.nii.gz", "totalsegmentator",
            f"{TOTAL}/example_seg_fast_force_split.nii.gz"),
        row("ct-torso-rules", f"{TOTAL}/example_ct.nii.gz", "ct-body"),
        row("ct-small", f"{TOTAL}/example_ct_sm.nii.gz", "totalsegmentator-native",
            f"{TOTAL}/example_seg_fast.nii.gz"),
        row("ct-spine", f"{TOTAL}/example_ct.nii.gz", "totalsegmentator",
            f"{TOTAL}/spine_report/example_ct_report/totalseg.nii.gz"),
        row("mr-small", f"{TOTAL}/example_mr_sm.nii.gz", "totalsegmentator-mr",
            f"{TOTAL}/example_seg_mr.nii.gz"),
        *(
            row(f"radiomics-{name}", f"pyradiomics/{name}_image.nrrd", "mask-native",
                f"pyradiomics/{name}_label.nrrd")
            for name in ("brain1", "breast1")
        ),
        row("prostate-phantom", "pyradiomics/prostate_phantom_subvolume.nrrd", "prostate-phantom",
            "pyradiomics/prostate_phantom_subvolume-label.nrrd"),
        row("ibsi-phantom", "ibsi/ibsi_1_digital_phantom/nifti/image/phantom.nii.gz", "mask-native",
            "ibsi/ibsi_1_digital_phantom/nifti/mask/mask.nii.gz"),
        *(
            row(f"sarcoma-{patient[-3:]}-{modality[:2].lower()}",
                f"ibsi/ibsi_validation/nifti/{patient}/{modality}_image.nii.gz", "mask",
                f"ibsi/ibsi_validation/nifti/{patient}/{modality}_mask.nii.gz")
            for patient in ("STS_002", "STS_008")
            for modality in ("CT", "MR_T1")
        ),
        row("sarcoma-002-rules", "ibsi/ibsi_validation/nifti/STS_002/CT_image.nii.gz", "ct-body"),
        *(
            row(path.name.removesuffix(".nii.gz"), f"msd_hippocampus/images/{path.name}",
                "hippocampus", f"msd_hippocampus/labels/{path.name}")
            for path in hippocampi
        ),
        row("hippocampus-dicom", "msd_hippocampus/dicom_HCropVolume_study3", "any-body"),
        row("cord", "sct_t2/t2.nii.gz", "mask", "sct_t2/t2_seg-manual.nii.gz"),
        row("head-overlapping-masks", "seg3d_mr/MR.nii.gz", "brain-skull",
            "brain=seg3d_mr/Brain.nrrd;skull=seg3d_mr/Skull.nrrd"),
        row("colin-aal", "atlas_multilabel/ch2.nii.gz", "aal-few", "atlas_multilabel/aal.nii.gz"),
        row("head-metaimage", "atlas_multilabel/HeadMRVolume.mhd", "any-body"),
        row("frog-labels-as-scan", "atlas_multilabel/frogtissue.mhd", "any-body"),
        row("mni-t1", "atlas_multilabel/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz", "any-body"),
        row("aorta-angiography", "vmtk_aorta/aorta.mha", "aorta-levelset"),
        row("aorta-levelset", "vmtk_aorta/aorta-final-levelset.mha", "aorta-levelset"),
        row("cine-without-spacing", "vmtk_aorta/mr-dicom.dcm", "any-body"),
        row("ct-pitched-8-bit", "oblique_misc/CT_pitch.nii.gz", "ct-body"),
        row("ct-chest-8-bit", "oblique_misc/LIDC2.mha", "ct-body"),
        row("four-volumes", "oblique_misc/nibabel_example4d.nii.gz", "any-body"),
        *(
            row(f"empty-edge-{mask}", "mask_edge_cases/uninformative/image/uninformative.nii.gz",
                "mask", f"mask_edge_cases/uninformative/mask/{mask}_mask.nii.gz")
            for mask in ("full", "empty", "one_voxel", "disconnected")
        ),
        *(
            row(f"dicom-{'-'.join(path.relative_to(data / DICOM).parts)}",
                str(path.relative_to(data)), "any-body")
            for path in sorted((data / DICOM).glob("*/*/0*"))
            if path.is_dir()
        ),
        row("dicom-one-slice-many-encodings", "cornerstone_ts", "any-body"),
        row("dicom-mosaics", "dcm_qa_ts/In", "any-body"),
    ]  # fmt: skip
    return found


def write_sheet(data: Path, sheet: Path) -> None:
    """Write the sheet; its paths lead from its own folder to the data."""
    base = sheet.resolve().parent

    def here(text: str) -> str:
        return os.path.relpath(data / text, base)

    lines = ["case\tscan\trecipe\tlabels"]
    for row in rows(data):
        labels = ";".join(
            f"{name}={here(path)}" if path else here(name)
            for name, _, path in (part.partition("=") for part in row["labels"].split(";") if part)
        )
        lines.append("\t".join([row["case"], here(row["scan"]), row["recipe"], labels]))
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_sheet(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
