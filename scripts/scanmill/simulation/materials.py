"""Materials by what a recipe says of them."""

from scanmill.simulation.body import Body, Elastic, Material, RaghavanVorp
from scanmill.simulation.bone import Bone, young_in
from scanmill.volume_file import Volume


def constant(said: dict[str, float]) -> Material:
    """A material that is the same everywhere, by its constants."""
    return RaghavanVorp(**said) if "alpha" in said else Elastic(**said)


def of_part(said: dict, body: Body, part: str, image: Volume | None) -> Material:
    """The material of a part. image: HU, where one is of bone whose stiffness follows from it."""
    if "law" not in said:
        return constant(said)
    bone = Bone(said["law"], **said["density"], least=said["least"])
    return Elastic(young_in(bone, image, body, body.parts[part]), said["poisson"])
