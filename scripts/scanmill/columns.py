"""The dictionary of the cohort table: what each column means, its unit, frame and source."""

from typing import Any, NamedTuple

IBSI = "IBSI reference manual, arXiv:1612.07003"
SCANMILL = "ScanMill"


class Column(NamedTuple):
    """One column. unit: UCUM, or empty where there is none."""

    meaning: str
    unit: str = ""
    frame: str = ""
    source: str = SCANMILL


MASK = "the structure's mask on the isotropic grid"
MESH = f"the marching-cubes mesh (at 0.5) of {MASK}"
VALUES = f"the isotropic image's values in {MASK}"
HU = "the image's own (HU for CT)"

STATE = {
    "case": Column("The case, as in the sheet"),
    "structure": Column("The structure, as in the recipe"),
    "label": Column("Its value in labels.nii.gz"),
    "status": Column("ok: measured. refused: not measured; code and reason say why"),
    "stage": Column("The stage that refused"),
    "code": Column("Why it was refused, for programs"),
    "reason": Column("Why it was refused, for people"),
    "warnings": Column(
        "Codes of what to know about this structure or its case; texts are in the sidecars"
    ),
}

VOLUMES = {
    "volume_mm3": Column(
        "Best estimate of the volume, from the intensities of the scan as acquired; empty where half "
        "its interval is more than half of it",
        "mm3",
    ),
    "volume_low_mm3": Column(
        "Lower end of the volume's 95 % interval: by noise, blur and resolution of the image, and by "
        "what the method that found the structure would not rule out",
        "mm3",
    ),
    "volume_high_mm3": Column("Upper end of the volume's 95 % interval", "mm3"),
    "volume_method": Column(
        "How the volume was told. fit: the mask's shape grown or shrunk to the image. fractions: each "
        "patch of the boundary moved to where the image shows it, the rest as the mask has it. count: "
        "mask_volume_mm3, where next to nothing of the boundary is to be seen in the image"
    ),
    "smallest_detectable_change_mm3": Column(
        "Change between two such scans that chance alone exceeds in 5 %", "mm3"
    ),
    "mask_volume_mm3": Column(
        f"Voxels of {MASK}, those on the edge of the scan by the part in it", "mm3"
    ),
    "supplied_volume_mm3": Column(
        "Voxel-count volume of the supplied label on its own grid, before any clean-up", "mm3"
    ),
    "morph_vol_approx": Column(f"Voxel-count volume of {MASK}", "mm3", source=IBSI),
    "surface_volume_mm3": Column("Volume that the written surface encloses", "mm3"),
    "isotropic_vs_supplied_percent": Column("mask_volume_mm3 against the supplied label", "%"),
    "surface_vs_isotropic_percent": Column("Surface against morph_vol_approx", "%"),
    "supplied_vs_volume_percent": Column("supplied_volume_mm3 against volume_mm3", "%"),
    "mask_vs_volume_percent": Column("mask_volume_mm3 against volume_mm3", "%"),
    "surface_vs_volume_percent": Column("surface_volume_mm3 against volume_mm3", "%"),
}

LOCATION = {
    f"{quantity}_{axis}_mm": Column(f"{meaning} of {MASK}, {axis}", "mm", "LPS")
    for quantity, meaning in (
        ("centroid", "Centroid"),
        ("bbox_min", "Least coordinate of the voxels"),
        ("bbox_max", "Largest coordinate of the voxels"),
    )
    for axis in "xyz"
}

EXTENT = {
    "axial_long_mm": Column(
        "Longest diameter in one slice of the isotropic grid across its axis nearest to the patient's "
        "superior axis, between voxel edges",
        "mm",
        source="RECIST 1.1, doi:10.1016/j.ejca.2008.10.026",
    ),
    "axial_short_mm": Column(
        "Longest line across axial_long_mm in the same slice, from outline to outline",
        "mm",
        source="RECIST 1.1, doi:10.1016/j.ejca.2008.10.026",
    ),
    "touches_border": Column("The structure reaches the edge of the scan: it may be cut there"),
    "components": Column(f"Pieces of {MASK} (26-connected)"),
    "artefact_percent": Column(
        f"The part of {MASK} that lies in voxels marked in artefacts.nii.gz: metal, its streaks, "
        "rings, beside a cut at the field of view, padding, a table",
        "%",
    ),
}

SURFACE = {
    "surface_area_mm2": Column("Area of the written surface", "mm2"),
    "triangles": Column("Triangles of the written surface"),
    "watertight": Column("Every edge of the surface is shared by two triangles that agree"),
    "manifold": Column("Watertight, and the triangles around each point form one fan"),
    "decimation_mean_mm": Column("Mean distance from the surface before decimation", "mm"),
    "decimation_max_mm": Column("Largest distance from the surface before decimation", "mm"),
}

SHAPE = {
    "morph_volume": Column(f"Volume of {MESH}", "mm3", source=IBSI),
    "morph_area_mesh": Column(f"Area of {MESH}", "mm2", source=IBSI),
    "morph_av": Column("morph_area_mesh / morph_volume", "mm-1", source=IBSI),
    "morph_comp_1": Column("Compactness 1", source=IBSI),
    "morph_comp_2": Column("Compactness 2", source=IBSI),
    "morph_sph_dispr": Column("Spherical disproportion", source=IBSI),
    "morph_sphericity": Column("Sphericity", source=IBSI),
    "morph_asphericity": Column("Asphericity", source=IBSI),
    "morph_diam": Column(f"Largest distance between vertices of {MESH}", "mm", source=IBSI),
    "morph_pca_maj_axis": Column("4 sqrt of the largest variance of voxels", "mm", source=IBSI),
    "morph_pca_min_axis": Column("4 sqrt of the second variance of voxels", "mm", source=IBSI),
    "morph_pca_least_axis": Column("4 sqrt of the least variance of voxels", "mm", source=IBSI),
    "morph_pca_elongation": Column("Second axis / first axis", source=IBSI),
    "morph_pca_flatness": Column("Least axis / first axis", source=IBSI),
    "morph_vol_dens_aabb": Column("morph_volume / volume of the grid-aligned box", source=IBSI),
    "morph_area_dens_aabb": Column("morph_area_mesh / area of that box", source=IBSI),
    "morph_vol_dens_conv_hull": Column("morph_volume / volume of its convex hull", source=IBSI),
    "morph_area_dens_conv_hull": Column("morph_area_mesh / area of that hull", source=IBSI),
}

INTENSITY = {
    "stat_mean": Column(f"Mean of {VALUES}", HU, source=IBSI),
    "stat_var": Column(f"Variance of {VALUES}", f"square of {HU}", source=IBSI),
    "stat_skew": Column("Skewness", source=IBSI),
    "stat_kurt": Column("Excess kurtosis", source=IBSI),
    "stat_median": Column("Median", HU, source=IBSI),
    "stat_min": Column("Minimum", HU, source=IBSI),
    "stat_p10": Column("10th percentile", HU, source=IBSI),
    "stat_p90": Column("90th percentile", HU, source=IBSI),
    "stat_max": Column("Maximum", HU, source=IBSI),
    "stat_iqr": Column("Interquartile range", HU, source=IBSI),
    "stat_range": Column("Range", HU, source=IBSI),
    "stat_mad": Column("Mean absolute deviation", HU, source=IBSI),
    "stat_rmad": Column(
        "Mean absolute deviation within p10 to p90; empty where no value lies there",
        HU,
        source=IBSI,
    ),
    "stat_medad": Column("Mean absolute deviation from the median", HU, source=IBSI),
    "stat_cov": Column(
        "Standard deviation / mean; empty where the mean is not positive", source=IBSI
    ),
    "stat_qcod": Column("Quartile coefficient of dispersion; empty where undefined", source=IBSI),
    "stat_energy": Column("Sum of squares", f"square of {HU}", source=IBSI),
    "stat_rms": Column("Root mean square", HU, source=IBSI),
}

INTERVALS = {
    column: Column(
        f"{end} end of the 95 % interval of {name}, which holds the value at the boundary that the "
        "image shows, too",
        unit,
    )
    for name, unit, form in (
        ("axial_long_mm", "mm", "axial_long_{}_mm"),
        ("axial_short_mm", "mm", "axial_short_{}_mm"),
        ("morph_diam", "mm", "morph_diam_{}"),
        ("surface_area_mm2", "mm2", "surface_area_{}_mm2"),
        ("stat_mean", HU, "stat_mean_{}"),
    )
    for end, column in (("Lower", form.format("low")), ("Upper", form.format("high")))
}

MODEL = "the shape model of the recipe's atlases"

SHAPE_MODEL = {
    "shape_volume_mm3": Column(
        "Volume of the structure as its shape model completes it: its mask, and what the model expects "
        "beyond the scan. Empty where the recipe asks for no model. volume_mm3 is of what lies in the "
        "scan",
        "mm3",
    ),
    "shape_volume_low_mm3": Column(
        "Lower end of the 95 % interval of shape_volume_mm3, by what the model leaves open of the part "
        "that is not seen, as for atlases that the others complete",
        "mm3",
    ),
    "shape_volume_high_mm3": Column("Upper end of that interval", "mm3"),
    "shape_unseen_percent": Column(
        "The part of shape_volume_mm3 that lies beyond the scan, or in voxels that metal, streaks or "
        "padding hide: expected, not seen",
        "%",
    ),
    "shape_changed_percent": Column(
        "Voxels that the model added or took away in the scan, of those that it was given", "%"
    ),
    "shape_distance": Column(
        f"Mahalanobis' distance from the mean of {MODEL}: the root of the sum of squares of the "
        "coefficients of its modes, in standard deviations, each at most 3"
    ),
    "shape_percentile": Column(
        "How many shapes of a hundred, varying as the atlases do, are less unusual: by chi-squared of "
        "shape_distance, scaled by what each atlas is from the model of the others",
        "%",
    ),
    "shape_residual_mm": Column(
        "Root mean square distance of the fitted model's surface from that of the structure as it was "
        "given, where it is seen: what the model cannot explain",
        "mm",
    ),
    "shape_atlases": Column(f"Atlases that {MODEL} was made of"),
    "shape_modes": Column(f"Modes of {MODEL}: as many as hold 98 % of its variance"),
}

ACROSS = "across its centreline, where no branch leaves it and more than 1.5 radii from its ends"

CENTRELINE = {
    "centreline_length_mm": Column(
        "Length of the centreline from the vessel's root, its end of the widest ball, to the end that "
        "is farthest: of a spline through the middles of sections, straight on in the ends. Empty "
        "where the recipe asks for no centreline",
        "mm",
    ),
    "centreline_tortuosity": Column(
        "Length of that centreline, without its ends, by that of its chord, less 1",
        source="Antiga et al. 2008, doi:10.1007/s11517-008-0420-1",
    ),
    "centreline_branches": Column(
        "Branches, each to an end, that leave the others by more than the diameter of what they leave"
    ),
    "section_max_diameter_mm": Column(
        f"The largest diameter of the vessel's surface {ACROSS}: between the farthest points of a "
        "section",
        "mm",
    ),
    "section_max_diameter_across_mm": Column(
        "The least distance of two parallel lines that this section fits between", "mm"
    ),
    **{
        f"section_max_diameter_{axis}_mm": Column(
            f"Where that is on the centreline, {axis}", "mm", "LPS"
        )
        for axis in "xyz"
    },
    "section_max_area_mm2": Column(f"The largest area of a section {ACROSS}", "mm2"),
    "neck_diameter_mm": Column(
        "The smallest diameter of sections between the root and the widest section of the main branch, "
        "as of the circle of a section's area",
        "mm",
    ),
}

AVERAGED = "first principal stress, averaged through the wall, away from what holds its ends"

OFF_SIDES = "in a pressed organ, without the cells at its held and pressed sides"

SIMULATION = {
    "simulation_code": Column("Why nothing was simulated though the recipe asks for it"),
    "simulation_edge_mm": Column("Length of edges that it was meshed with", "mm"),
    "simulation_blur_voxels": Column(
        "Standard deviation of the blur of the mask that was meshed, where it could not be without"
    ),
    "simulation_solver": Column(
        "What solved it, with the version of another program than ScanMill"
    ),
    "simulation_pressure_mmhg": Column("Pressure on the wall's inner side", "mm[Hg]"),
    "wall_volume_mm3": Column("Volume of the wall's tetrahedra", "mm3"),
    "thrombus_volume_mm3": Column(
        "Volume of the tetrahedra of thrombus, between the vessel's ends", "mm3"
    ),
    **{
        f"wall_thickness_p{percent}_mm": Column(
            f"Thickness of the wall, {percent} % of whose area is not thicker", "mm"
        )
        for percent in (5, 50, 95)
    },
    "remeshed_vs_surface_percent": Column(
        "Volume between the vessel's ends after its surface was remeshed, against that before", "%"
    ),
    "mesh_volume_mm3": Column(
        "Volume of the tetrahedra of an organ with its parts, or of a part", "mm3"
    ),
    "mesh_vs_mask_percent": Column("That volume against that of the mask's voxels", "%"),
    "tetrahedra": Column("Quadratic tetrahedra of the wall with thrombus, or of the organ"),
    "tetrahedra_nodes": Column("Their nodes"),
    "dihedral_min_deg": Column("Smallest angle between two faces of a tetrahedron", "deg"),
    "dihedral_p1_deg": Column(
        "Smallest angle between two faces that all but 1 % of the tetrahedra exceed", "deg"
    ),
    "scaled_jacobian_min": Column(
        "Least scaled Jacobian of the tetrahedra: 1 regular, 0 flat",
        source="Knupp 2003, doi:10.1016/S0168-874X(02)00070-9",
    ),
    "stress_mean_mpa": Column(f"Mean {AVERAGED}", "MPa"),
    "stress_p99_mpa": Column(f"What 99 % of the wall stays below of {AVERAGED}", "MPa"),
    "stress_peak_mpa": Column(f"Largest {AVERAGED}", "MPa"),
    **{
        f"stress_peak_{axis}_mm": Column(
            f"Where that is, half-way through the wall, {axis}", "mm", "LPS"
        )
        for axis in "xyz"
    },
    "stress_raw_p99_mpa": Column(
        "The same percentile of cells' own first principal stress: of waves that the steps of voxels "
        "leave in the wall it shows the bending",
        "MPa",
    ),
    "stress_raw_peak_mpa": Column("Largest first principal stress of a cell there", "MPa"),
    "strain_p99": Column(
        "The same percentile of the first principal strain (Green-Lagrange where the material is "
        "hyperelastic), averaged through the wall"
    ),
    "displacement_max_mm": Column("Farthest that a point of the wall or the organ moves", "mm"),
    "rupture_potential": Column("stress_p99_mpa by the strength that the recipe gives"),
    "pressed_area_mm2": Column(
        "Area of the faces that are pressed on, across the direction that they are pressed in",
        "mm2",
    ),
    "stiffness_n_per_mm": Column(
        "Force on the pressed side by the mean way that it goes towards the held one", "N/mm"
    ),
    "young_mean_mpa": Column("Mean of Young's modulus over the organ's volume", "MPa"),
    "von_mises_mean_mpa": Column(f"Mean equivalent stress of von Mises {OFF_SIDES}", "MPa"),
    "von_mises_p99_mpa": Column(f"What 99 % of the volume stays below of it {OFF_SIDES}", "MPa"),
    "von_mises_peak_mpa": Column(f"Largest one of a cell {OFF_SIDES}", "MPa"),
    **{
        f"von_mises_peak_{axis}_mm": Column(f"Where that is, {axis}", "mm", "LPS") for axis in "xyz"
    },
    "strain_third_p1": Column(
        f"What 99 % of the volume stays above of the third principal strain {OFF_SIDES}: the most that "
        "it is shortened"
    ),
}

COLUMNS: dict[str, Column] = (
    STATE
    | VOLUMES
    | SURFACE
    | LOCATION
    | EXTENT
    | SHAPE
    | INTENSITY
    | INTERVALS
    | SHAPE_MODEL
    | CENTRELINE
    | SIMULATION
)


def distance_columns(structures: list[dict[str, Any]]) -> dict[str, Column]:
    """The columns that structures ask for with `distances_to`, in the order of asking."""
    asked = dict.fromkeys(other for s in structures for other in s["distances_to"])
    return {distance_column(other): _distance_to(other) for other in asked}


def distance_column(other: str) -> str:
    """The name of the column of distances to a structure."""
    return f"distance_to_{other}_mm"


def _distance_to(other: str) -> Column:
    return Column(
        f"Least distance between the written surfaces of the structure and of {other}; 0 where they "
        "touch or the masks share a voxel; empty where it was not asked for, or one was not found",
        "mm",
    )


STAGES = ("ingest", "resample", "segment", "mesh", "measure")
ON_REQUEST = ("centreline", "simulate", "agreement", "export", "report")


def case_columns(stages: tuple[str, ...]) -> list[str]:
    """The columns of cases.tsv for a run of these stages."""
    head = ["case", "status", "stage", "code", "reason", "recipe", "warnings", "stale"]
    costs = ("status", "seconds", "memory_mb")
    return [*head, *(f"{stage}_{cost}" for stage in stages for cost in costs)]
