"""The measurements as a DICOM structured report: TID 1500, one volumetric group for each structure.

Numbers are those of the case's measurements.csv, the standard deviation the root of its variance. Each
group refers to the structure's segment in the segmentation object, and carries its tracking identifier.
Templates: DICOM PS3.16 TID 1500, 1411, 1419; units: UCUM.
"""

from collections.abc import Mapping
from math import sqrt

from highdicom.sr import (
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    ReferencedSegment,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from scanmill.export.coding import category, concept, laterality
from scanmill.export.instance import (
    MANUFACTURER,
    MODEL,
    SERIES,
    UNKNOWN_UID,
    complete,
    series_uid,
    tracking_uid,
)
from scanmill.export.source_images import SourceImages
from scanmill.export.structures import Exported

# Column of measurements.csv: concept and unit. The written surface's area is that of a mesh.
SIZES = {
    "volume_mm3": (codes.SCT.Volume, codes.UCUM.CubicMillimeter),
    "surface_area_mm2": (codes.IBSI.SurfaceAreaOfMesh, codes.UCUM.SquareMillimeter),
    "axial_long_mm": (codes.SCT.LongAxis, codes.UCUM.Millimeter),
    "axial_short_mm": (codes.SCT.ShortAxis, codes.UCUM.Millimeter),
}
# What intensities are called, and their unit, where the modality alone tells.
INTENSITIES = {
    "CT": (codes.DCM.AttenuationCoefficient, codes.UCUM.HounsfieldUnit),
    "MR": (codes.DCM.MRSignalIntensity, codes.UCUM.NoUnits),
}
STATISTICS = {
    "stat_mean": codes.SCT.Mean,
    "stat_min": codes.SCT.Minimum,
    "stat_max": codes.SCT.Maximum,
}
PROCEDURES = {
    "CT": codes.cid100.CTUnspecifiedBodyRegion,
    "MR": codes.cid100.MRIUnspecifiedBodyRegion,
    "PT": codes.cid100.PETUnspecifiedBodyRegion,
}


def measurement_report(
    structures: list[Exported],
    rows: Mapping[str, Mapping[str, str]],
    segmentation: Dataset,
    source: SourceImages,
) -> Dataset:
    """The report on structures whose segments, in the same order, are in a completed segmentation.

    rows: of measurements.csv by structure; an empty cell is not reported.
    """
    observer = DeviceObserverIdentifyingAttributes(
        uid=source.identity.derived("device"), name=MODEL, manufacturer_name=MANUFACTURER
    )
    report = MeasurementReport(
        observation_context=ObservationContext(ObserverContext(codes.DCM.Device, observer)),
        procedure_reported=PROCEDURES.get(source.modality, codes.cid100.ImagingProcedure),
        imaging_measurements=[
            _group(number, structure, rows[structure.name], segmentation, source)
            for number, structure in enumerate(structures, 1)
        ],
    )
    made = ComprehensiveSR(
        evidence=[*source.evidence(), segmentation],
        content=report[0],
        series_instance_uid=series_uid(source, "sr"),
        series_number=SERIES["sr"][0],
        sop_instance_uid=UNKNOWN_UID,
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
    )
    return complete(made, source, "sr")


def _group(
    number: int,
    structure: Exported,
    row: Mapping[str, str],
    segmentation: Dataset,
    source: SourceImages,
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    side = laterality(structure)
    sites = [FindingSite(concept(structure), laterality=side)] if side else None
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            tracking_uid(source, structure.name), f"{source.case}/{structure.name}"
        ),
        referenced_segment=ReferencedSegment(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            number,
            source_series=SourceSeriesForSegmentation(source.series),
        ),
        finding_category=category(structure),
        finding_type=concept(structure),
        finding_sites=sites,
        measurements=_measurements(row, source.modality),
    )


def _measurements(row: Mapping[str, str], modality: str) -> list[Measurement]:
    found = [
        Measurement(name, float(row[column]), unit)
        for column, (name, unit) in SIZES.items()
        if row[column]
    ]
    if modality not in INTENSITIES:
        return found
    name, unit = INTENSITIES[modality]
    statistics: dict[Code, str] = {code: row[column] for column, code in STATISTICS.items()}
    if row["stat_var"]:
        deviation = sqrt(float(row["stat_var"]))
        statistics[codes.SCT.StandardDeviation] = f"{deviation:.10g}"
    return found + [
        Measurement(name, float(text), unit, derivation=code)
        for code, text in statistics.items()
        if text
    ]
