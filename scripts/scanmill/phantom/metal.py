"""Metal in a CT: beam hardening and photon starvation in real projections, and where they mislead."""

import numpy as np

from scanmill.grid import Grid
from scanmill.phantom.noise import stored
from scanmill.phantom.projection import Beam, project, reconstruct, softened

# Four lines, at 40, 60, 80 and 100 keV, for the spectrum of a 120 kV tube: a coarse model of it.
SPECTRUM = np.array([0.1, 0.4, 0.3, 0.2])
# Attenuation of those lines, 1/mm: mass attenuation coefficients times density, NIST SRD 126.
WATER = np.array([0.2683, 0.2059, 0.1837, 0.1707]) * 0.1
METALS = {
    "titanium": np.array([2.214, 0.7661, 0.4052, 0.2721]) * 0.454,
    "iron": np.array([3.629, 1.205, 0.5952, 0.3717]) * 0.7874,
}
LOWEST_HU, HIGHEST_HU = -1024, 3071
MISLEADING_HU = 40
_lengths = np.linspace(-200, 3000, 16_001)


def with_metal(
    clean: np.ndarray, metal: np.ndarray, grid: Grid, material: str, photons: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A CT with metal in it: the scan, int16 HU, and the voxels that are misleading, both [z, y, x].

    clean: HU without metal and noise. metal: which part of each voxel it fills. material: a key of
    METALS. photons: that fall on each ray, 1e5 say; they make the noise. Each slice is scanned by
    itself: tissue attenuates like water, the photons that arrive are counted, at least one, and the
    count is corrected for the hardening that water causes. Misleading are voxels off `clean` by more
    than MISLEADING_HU, the metal's own among them. Only errors are reconstructed and added to `clean`,
    so what the projections leave right keeps its full resolution.
    """
    random = np.random.default_rng(seed)
    beam = Beam(clean.shape[1:], grid.spacing[:2])
    scan = np.empty(clean.shape)
    for k in range(len(clean)):
        scan[k] = clean[k] + _error(clean[k], metal[k], beam, METALS[material], photons, random)
    scan = stored(np.clip(scan, LOWEST_HU, HIGHEST_HU))
    return scan, np.abs(scan - clean) > MISLEADING_HU


def _error(
    clean: np.ndarray,
    metal: np.ndarray,
    beam: Beam,
    attenuation: np.ndarray,
    photons: float,
    random: np.random.Generator,
) -> np.ndarray:
    """How much a scan of one slice is off, HU."""
    water = np.maximum(1 + clean / 1000, 0)
    tissue, implant = project(water * (1 - metal), beam), project(metal, beam)
    arriving = np.exp(-tissue[..., None] * WATER - implant[..., None] * attenuation) @ SPECTRUM
    counted = np.maximum(random.poisson(photons * arriving), 1)
    measured = _water_length(-np.log(counted / photons))
    wrong = measured - tissue - project(water * metal, beam)
    return 1000 * reconstruct(softened(wrong), beam)


def _water_length(loss: np.ndarray) -> np.ndarray:
    """How many mm of water weaken the beam by exp(-loss)."""
    losses = -np.log(np.exp(-_lengths[:, None] * WATER) @ SPECTRUM)
    return np.interp(loss, losses, _lengths)
