"""A cohort of cases by chance as the cohort's table has it: normal quantities, all of them known."""

import numpy as np
from scanmill.checks.cases import Cases

STRUCTURES = [
    {
        "name": name,
        "laterality": side,
        "code": {"scheme": "99TEST", "value": code},
        "expect": {},
    }
    for name, side, code in (
        ("liver", None, "L"),
        ("spleen", None, "S"),
        ("kidney-left", "left", "K"),
        ("nier-rechts", "right", "K"),
    )
]
NAMES = [structure["name"] for structure in STRUCTURES]
CENTRES = {
    "liver": (-60, 0, 0),
    "spleen": (80, 20, 10),
    "kidney-left": (60, 40, -40),
    "nier-rechts": (-60, 40, -50),
}
ML = {"liver": 1500, "spleen": 200, "kidney-left": 150, "nier-rechts": 145}


def row(random, structure, size):
    """One structure's cells, as texts."""
    volume = 1000 * ML[structure] * np.exp(3 * size + random.normal(0, 0.1))
    half = np.cbrt(volume) / 2 * np.exp(random.normal(0, 0.02, 3))
    centre = np.exp(size) * np.array(CENTRES[structure]) + random.normal(0, 4, 3)
    cells = {
        "mask_volume_mm3": volume,
        "mask_vs_volume_percent": random.normal(0, 2),
        "morph_sphericity": 0.7 * np.exp(random.normal(0, 0.03)),
        "morph_pca_elongation": 0.8 * np.exp(random.normal(0, 0.05)),
        "morph_pca_flatness": 0.6 * np.exp(random.normal(0, 0.05)),
        "morph_vol_dens_conv_hull": 1 - 0.1 * np.exp(random.normal(0, 0.1)),
        "components": 1,
        "stat_mean": random.normal(110, 9),
        "stat_median": random.normal(110, 9),
        "stat_rmad": np.exp(random.normal(3, 0.1)),
        "stat_qcod": np.exp(random.normal(-1.5, 0.1)),
    }
    for n, axis in enumerate("xyz"):
        cells[f"centroid_{axis}_mm"] = centre[n]
        cells[f"bbox_min_{axis}_mm"] = centre[n] - half[n]
        cells[f"bbox_max_{axis}_mm"] = centre[n] + half[n]
    said = {"status": "ok", "code": "", "touches_border": "false", "volume_method": "fit"}
    return said | {name: f"{value:.10g}" for name, value in cells.items()}


def cohort(cases: int, seed: int) -> Cases:
    """So many cases, c0, c1, ..., in which nothing is wrong."""
    random = np.random.default_rng([17, seed])
    rows, contacts = {}, {}
    for n in range(cases):
        size = random.normal(0, 0.05)
        rows[f"c{n}"] = {name: row(random, name, size) for name in NAMES}
        share = float(np.sin(random.normal(0.3, 0.05)) ** 2)
        contacts[f"c{n}"] = {"liver": {"outside": 1 - share, "nier-rechts": share}}
    return Cases("CT", STRUCTURES, rows, contacts, {case: [] for case in rows})
