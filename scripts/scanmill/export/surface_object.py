"""A surface as an encapsulated STL: DICOM PS3.3 A.85.1, C.24.2 (document), C.35.1 (model)."""

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedSTLStorage

from scanmill.export.coding import coded, concept
from scanmill.export.instance import complete, new_object
from scanmill.export.source_images import SourceImages
from scanmill.export.structures import Exported
from scanmill.surface import Surface

STL = "model/stl"
HEADER = b"SPACE=LPS;UNIT=mm".ljust(80)
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def surface_object(
    number: int, structure: Exported, surface: Surface, source: SourceImages
) -> Dataset:
    """The surface of a structure, LPS mm in the source's frame of reference.

    number: of the instance in its series.
    """
    document = binary_stl(surface)
    made = new_object(EncapsulatedSTLStorage, "M3D")
    made.FrameOfReferenceUID = source.frame_of_reference
    made.PositionReferenceIndicator = ""
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "NO"
    made.DocumentTitle = structure.name
    made.ConceptNameCodeSequence = [coded(concept(structure))]
    made.SourceInstanceSequence = source.instances()
    made.ReferencedSeriesSequence = source.referenced_series()
    made.MIMETypeOfEncapsulatedDocument = STL
    made.EncapsulatedDocumentLength = len(document)
    made.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    made.MeasurementUnitsCodeSequence = [coded(codes.UCUM.Millimeter)]
    made.ModelModification = "NO"
    made.ModelMirroring = "NO"
    return complete(made, source, "stl", number)


def binary_stl(surface: Surface) -> bytes:
    """A surface as binary STL, LPS mm, normals by the order of the corners."""
    corners = surface.points[surface.triangles]
    triangles = np.zeros(len(corners), TRIANGLE)
    triangles["corners"] = corners
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    triangles["normal"] = normals / np.where(lengths > 0, lengths, 1)
    return HEADER + np.uint32(len(triangles)).astype("<u4").tobytes() + triangles.tobytes()
