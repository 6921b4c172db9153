"""Every element of a de-identified object, sequences included, is one that was foreseen."""

import re
from io import BytesIO

import pytest
from export_samples import CASE, GRIDS, KEY, PLANTED, ROOT
from pydicom import dcmread
from scanmill.export.identity import METHOD, Pseudonyms
from scanmill.export.source_images import source_images
from test_export_objects import all_objects, between_slices, enhanced_on, found_on, written

# Numbers, and texts that no source's header can reach: kept by their keyword.
TECHNICAL = """
BitsAllocated BitsStored Columns ContourData ContourNumber DimensionIndexPointer
DimensionIndexValues EncapsulatedDocument EncapsulatedDocumentLength
FileMetaInformationGroupLength FileMetaInformationVersion FloatingPointValue
FunctionalGroupPointer HighBit ImageOrientationPatient ImagePositionPatient InstanceNumber
NumberOfContourPoints NumberOfFrames NumericValue ObservationNumber PixelData PixelPaddingValue
PixelRepresentation PixelSpacing ROIDisplayColor ROINumber RecommendedDisplayCIELabValue
ReferencedFrameNumber ReferencedROINumber ReferencedSegmentNumber Rows SamplesPerPixel
SegmentNumber SeriesNumber SliceThickness SpacingBetweenSlices
AlgorithmName AlgorithmVersion ApprovalStatus BurnedInAnnotation CodeMeaning CodeValue
CodingSchemeDesignator CompletionFlag ContentLabel ContinuityOfContent ContourGeometricType
DeviceSerialNumber DimensionDescriptionLabel ImageType ImplementationVersionName
LongitudinalTemporalInformationModified LossyImageCompression MIMETypeOfEncapsulatedDocument
Manufacturer ManufacturerModelName MappingResource Modality ModelMirroring ModelModification
PatientIdentityRemoved PhotometricInterpretation PreliminaryFlag PresentationLUTShape
ROIGenerationAlgorithm RTROIInterpretedType RelationshipType SegmentAlgorithmName
SegmentAlgorithmType SegmentationType SegmentsOverlap SeriesDescription SoftwareVersions
SpatialLocationsPreserved SpecificCharacterSet StructureSetLabel TemplateIdentifier ValueType
VerificationFlag
AlgorithmFamilyCodeSequence ConceptCodeSequence ConceptNameCodeSequence ContentSequence
ContentTemplateSequence ContourImageSequence ContourSequence
CurrentRequestedProcedureEvidenceSequence DerivationCodeSequence DerivationImageSequence
DimensionIndexSequence DimensionOrganizationSequence FrameContentSequence MeasuredValueSequence
MeasurementUnitsCodeSequence PerFrameFunctionalGroupsSequence PerformedProcedureCodeSequence
PixelMeasuresSequence PlaneOrientationSequence PlanePositionSequence
PurposeOfReferenceCodeSequence ROIContourSequence RTROIIdentificationCodeSequence
RTROIObservationsSequence RTReferencedSeriesSequence RTReferencedStudySequence
ReferencedFrameOfReferenceSequence ReferencedInstanceSequence
ReferencedPerformedProcedureStepSequence ReferencedSOPSequence ReferencedSeriesSequence
SegmentIdentificationSequence SegmentSequence SegmentationAlgorithmIdentificationSequence
SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence
SegmentedPropertyTypeModifierCodeSequence SharedFunctionalGroupsSequence SourceImageSequence
SourceInstanceSequence StructureSetROISequence
"""
EMPTY = """
AccessionNumber AcquisitionDateTime ContentDescription OperatorsName PatientBirthDate PatientSex
PositionReferenceIndicator ROIInterpreter ReferringPhysicianName StudyID
"""
NAMES = {"organ", "gtv"}
TRACKED = {f"{CASE}/{name}" for name in NAMES}
TOLD = {
    "PatientName": {CASE},
    "PatientID": {CASE},
    "DeidentificationMethod": {METHOD},
    "ROIName": NAMES,
    "SegmentLabel": NAMES | {"Background"},
    "DocumentTitle": NAMES,
    "TrackingID": TRACKED,
    "TextValue": TRACKED | {"ScanMill"},
}
# UIDs of the standard, and of the libraries that wrote the file.
OWN = ("1.2.840.10008.", "1.2.826.0.1.3680043.9.7433.1.1", "1.2.826.0.1.3680043.8.498.1")
DATES = {PLANTED[keyword] for keyword in PLANTED if keyword.endswith("Date")}


def elements(grid, found, case=CASE):
    """Name of the object and element, of each element of the objects of a source, as read again."""
    source = source_images(found, Pseudonyms(KEY, case), case)
    for name, made in all_objects(grid, source).items():
        data = dcmread(BytesIO(written(made)))
        for element in (*data.file_meta, *data.iterall()):
            yield name, element


def is_pseudonym(uid):
    return bool(re.fullmatch(r"2\.25\.[1-9]\d{1,38}", uid))


@pytest.mark.parametrize("found", [found_on, enhanced_on, between_slices])
def test_no_element_is_there_that_was_not_foreseen(found):
    grid = GRIDS["oblique"]
    for name, element in elements(grid, found(grid)):
        keyword, value = element.keyword, element.value
        where = (name, keyword, value)
        assert ROOT not in str(value), where
        if element.VR == "UI":
            assert is_pseudonym(value) or value.startswith(OWN), where
        elif element.VR in ("DA", "TM") and keyword not in EMPTY.split():
            assert str(value) not in DATES, where
            # Whole minutes at most.
            assert re.fullmatch(r"\d{8}" if element.VR == "DA" else r"\d{4}00", value), where
        elif keyword in EMPTY.split():
            assert element.is_empty, where
        elif keyword in TOLD:
            assert str(value) in TOLD[keyword], where
        else:
            assert keyword in TECHNICAL.split(), where


def test_two_cases_of_one_study_have_no_uid_in_common_but_those_of_the_site():
    grid = GRIDS["axial"]
    uids = [
        {e.value for _, e in elements(grid, found_on(grid), case) if is_pseudonym(str(e.value))}
        for case in ("one", "two")
    ]
    assert len(uids[0]) == len(uids[1]) > 20
    # The program that observed.
    assert uids[0] & uids[1] == {Pseudonyms(KEY, "any").derived("device")}


def test_who_reads_the_objects_of_a_study_finds_one_patient_and_one_study():
    grid = GRIDS["axial"]
    said = [(e.keyword, str(e.value)) for _, e in elements(grid, found_on(grid))]
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert len({value for found, value in said if found == keyword}) == 1
