"""How materials answer to being deformed: stress, what holds their volume, and the change of both.

Displacements and pressures are both unknown (Taylor and Hood's elements), since by displacements alone,
tissue, which hardly changes its volume, is too stiff, or its stress swings. A material's constraint is
`volume change - pressure / bulk = 0`.
"""

from typing import NamedTuple

import numpy as np

from scanmill.simulation.body import Elastic, Material, RaghavanVorp

# An incompressible material's bulk modulus, in its shear moduli: stress is off by about its inverse.
BULK = 2000.0


class Response(NamedTuple):
    """At places [..., ]: by the displacement's gradient H and the pressure, N/mm2.

    stress: first Piola-Kirchhoff's, [..., 3, 3]. stiffness: its change with H, [..., 9, 9]. volume: the
    change of the constraint with H, [..., 3, 3], which is that of stress with the pressure. constraint:
    [...]. compliance: of the volume, mm2/N, a number or [m, 1] of cells.
    """

    stress: np.ndarray
    stiffness: np.ndarray
    volume: np.ndarray
    constraint: np.ndarray
    compliance: float | np.ndarray


def response(
    material: Material, gradient: np.ndarray, pressure: np.ndarray, is_large: bool
) -> Response:
    """The response of a material. gradient: of displacements, [..., 3, 3], row by component.

    pressure: [...], N/mm2, positive where it pulls; [m, q] where the material is that of m cells.
    is_large: whether displacements are.
    """
    if isinstance(material, RaghavanVorp):
        return _raghavan_vorp(material, gradient, pressure)
    law = _saint_venant_kirchhoff if is_large else _elastic
    return law(material, gradient, pressure)


def true_stress(stress: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Cauchy's stress from first Piola-Kirchhoff's."""
    deformed = gradient + np.eye(3)
    return stress @ deformed.swapaxes(-1, -2) / np.linalg.det(deformed)[..., None, None]


def _elastic(material: Elastic, gradient: np.ndarray, pressure: np.ndarray) -> Response:
    shear, bulk = _moduli(material)
    strain = (gradient + gradient.swapaxes(-1, -2)) / 2
    identity = np.eye(3)
    each = np.einsum("ik,jl->ijkl", identity, identity)
    stiffness = shear[..., None, None] * (each + each.transpose(0, 1, 3, 2)).reshape(9, 9)
    return Response(
        2 * shear[..., None, None] * strain + pressure[..., None, None] * identity,
        np.broadcast_to(stiffness, (*pressure.shape, 9, 9)),
        np.broadcast_to(identity, gradient.shape),
        np.trace(strain, axis1=-2, axis2=-1) - pressure / bulk,
        1 / bulk,
    )


def _saint_venant_kirchhoff(
    material: Elastic, gradient: np.ndarray, pressure: np.ndarray
) -> Response:
    """Second Piola-Kirchhoff's stress is linear in Green and Lagrange's strain: no turn adds stress."""
    shear, bulk = _moduli(material)
    identity = np.eye(3)
    deformed = gradient + identity
    turned = deformed.swapaxes(-1, -2)
    strain = (turned @ deformed - identity) / 2
    second = 2 * shear[..., None, None] * strain + pressure[..., None, None] * identity
    by_turning = np.einsum("...il,...kj->...ijkl", deformed, deformed)
    by_turning += np.einsum("...ik,jl->...ijkl", deformed @ turned, identity)
    stiffness = np.einsum("ik,...jl->...ijkl", identity, second)
    stiffness = stiffness + shear[..., None, None, None, None] * by_turning
    return Response(
        deformed @ second,
        stiffness.reshape(*pressure.shape, 9, 9),
        deformed,
        np.trace(strain, axis1=-2, axis2=-1) - pressure / bulk,
        1 / bulk,
    )


def _moduli(material: Elastic) -> tuple[np.ndarray, np.ndarray]:
    """Shear modulus, and Lame's other one: of all, or [m, 1] of each cell."""
    young = np.asarray(material.young)
    shear = (young[:, None] if young.ndim else young) / (2 * (1 + material.poisson))
    return shear, 2 * shear * material.poisson / (1 - 2 * material.poisson)


def _raghavan_vorp(material: RaghavanVorp, gradient: np.ndarray, pressure: np.ndarray) -> Response:
    """By the first invariant without the change of volume, as Holzapfel 2000, section 6.4."""
    bulk = BULK * 2 * material.alpha
    deformed = gradient + np.eye(3)
    change = np.linalg.det(deformed)
    inverse = np.linalg.inv(deformed).swapaxes(-1, -2)
    first = np.einsum("...ij,...ij->...", deformed, deformed)
    scale = change ** (-2 / 3)
    slope = material.alpha + 2 * material.beta * (scale * first - 3)
    # Of the invariant by H.
    by_shape = 2 * scale[..., None, None] * (deformed - first[..., None, None] / 3 * inverse)
    volume = change[..., None, None] * inverse
    f, g, a = (x.reshape(*x.shape[:-2], 9) for x in (deformed, inverse, by_shape))
    # Of G by H, but for its sign: G_il G_kj.
    twisted = np.einsum("...il,...kj->...ijkl", inverse, inverse).reshape(*f.shape, 9)
    outer = "...a,...b->...ab"
    between = np.einsum(outer, f, g)
    of_shape = np.eye(9) - 2 / 3 * (between + between.swapaxes(-1, -2))
    of_shape = of_shape + (first / 3)[..., None, None] * (twisted + 2 / 3 * np.einsum(outer, g, g))
    stiffness = (2 * slope * scale)[..., None, None] * of_shape
    stiffness += 2 * material.beta * np.einsum(outer, a, a)
    stiffness += (pressure * change)[..., None, None] * (np.einsum(outer, g, g) - twisted)
    return Response(
        slope[..., None, None] * by_shape + pressure[..., None, None] * volume,
        stiffness,
        volume,
        change - 1 - pressure / bulk,
        1 / bulk,
    )
