"""A surface as an encapsulated STL: DICOM PS3.3 A.85.1, C.24.2 (document), C.35.1 (model)."""

from importlib import import_module
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedSTLStorage
from vtkmodules.util.numpy_support import vtk_to_numpy

from scanmill.export.coding import coded, concept
from scanmill.export.instance import complete, new_object
from scanmill.export.source_images import SourceImages
from scanmill.export.structures import Exported

STL = "model/stl"
HEADER = b"SPACE=LPS;UNIT=mm".ljust(80)
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
# Readers of the formats that `mesh` writes.
READERS = {
    ".ply": ("vtkIOPLY", "vtkPLYReader"),
    ".stl": ("vtkIOGeometry", "vtkSTLReader"),
    ".obj": ("vtkIOGeometry", "vtkOBJReader"),
    ".vtp": ("vtkIOXML", "vtkXMLPolyDataReader"),
}


def surface_object(number: int, structure: Exported, path: Path, source: SourceImages) -> Dataset:
    """The surface of a structure, LPS mm in the source's frame of reference.

    number: of the instance in its series. path: the surface, in a format that `mesh` writes.
    """
    document = binary_stl(path)
    made = new_object(EncapsulatedSTLStorage, "M3D")
    made.FrameOfReferenceUID = source.frame_of_reference
    made.PositionReferenceIndicator = ""
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "NO"
    made.RecognizableVisualFeatures = "NO"
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


def binary_stl(path: Path) -> bytes:
    """A surface file's triangles as binary STL, LPS mm, normals by the order of the corners."""
    corners = _corners(path)
    triangles = np.zeros(len(corners), TRIANGLE)
    triangles["corners"] = corners
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    triangles["normal"] = normals / np.where(lengths > 0, lengths, 1)
    return HEADER + np.uint32(len(triangles)).astype("<u4").tobytes() + triangles.tobytes()


def _corners(path: Path) -> np.ndarray:
    """The corners of each triangle of a surface file, (n, 3, 3)."""
    module, name = READERS[path.suffix]
    reader = getattr(import_module(f"vtkmodules.{module}"), name)()
    reader.SetFileName(str(path))
    reader.Update()
    mesh = reader.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)
    triangles = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return points[triangles]
