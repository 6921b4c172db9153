"""Write what was found in a body as XDMF, version 3, with the numbers in the file itself.

Format: https://www.xdmf.org/index.php/XDMF_Model_and_Format
"""

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np

from scanmill.atomic import replacing
from scanmill.simulation.body import Problem
from scanmill.simulation.fields import TOLD, cell_fields, point_fields
from scanmill.simulation.solution import Solution

KINDS = {(): "Scalar", (3,): "Vector", (6,): "Tensor6"}
# The order of its tensors: xx xy xz yy yz zz.
TENSOR6 = [0, 3, 5, 1, 4, 2]


def write_xdmf(path: Path, problem: Problem, solution: Solution) -> None:
    """Write what `write_vtu` writes, by the same names."""
    body = problem.body
    root = Xml.Element("Xdmf", Version="3.0")
    domain = Xml.SubElement(root, "Domain")
    # As attributes of XML, which readers pass over; by some, `Information` makes the file unreadable.
    told = TOLD | {"parts": " ".join(body.parts)}
    grid = Xml.SubElement(domain, "Grid", told, Name="body", GridType="Uniform")
    topology = {"TopologyType": "Tetrahedron_10", "NumberOfElements": str(len(body.cells))}
    _add_numbers(Xml.SubElement(grid, "Topology", topology), body.cells)
    _add_numbers(Xml.SubElement(grid, "Geometry", GeometryType="XYZ"), body.points)
    for centre, fields in (
        ("Node", point_fields(solution)),
        ("Cell", cell_fields(problem, solution)),
    ):
        for name, values in fields.items():
            kind = KINDS[values.shape[1:]]
            described = {"Name": name, "AttributeType": kind, "Center": centre}
            attribute = Xml.SubElement(grid, "Attribute", described)
            _add_numbers(attribute, values[:, TENSOR6] if kind == "Tensor6" else values)
    with replacing(path) as temporary:
        Xml.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def _add_numbers(element: Xml.Element, values: np.ndarray) -> None:
    whole = values.dtype.kind == "i"
    described = {
        "Dimensions": " ".join(map(str, values.shape)),
        "NumberType": "Int" if whole else "Float",
        "Precision": "4" if whole else "8",
        "Format": "XML",
    }
    form = "{:d}" if whole else "{:.10g}"
    rows = values.reshape(len(values), -1)
    line = " ".join([form] * rows.shape[1])
    item = Xml.SubElement(element, "DataItem", described)
    item.text = "\n".join(line.format(*row) for row in rows.tolist())
