"""The cases of a cohort against each other: what is wrong is flagged by the check that is for it."""

from dataclasses import replace

import numpy as np
import pytest
from cohort_samples import NAMES, STRUCTURES, cohort
from scanmill.checks import FEWEST
from scanmill.checks.flags import flags_of
from scanmill.checks.pairs import pairs

CASE = "c7"


def found(cases, inputs=None):
    """Case, structure and check of each flag."""
    read = inputs or {key: {"ingest": [], "segment": []} for key in cases.rows}
    return {(f["case"], f.get("structure", ""), f["check"]) for f in flags_of(cases, read, [], {})}


def scaled(cases, structure, column, factor):
    row = cases.rows[CASE][structure]
    row[column] = repr(factor * float(row[column]))


def test_a_left_and_a_right_one_are_told_by_name_or_by_code_and_laterality():
    assert pairs(STRUCTURES) == [("kidney-left", "nier-rechts")]
    named = [
        {"name": name, "laterality": None, "code": {"scheme": "99TEST", "value": name}}
        for name in ("lung_left_upper", "lung_right_upper", "lung_right_middle")
    ]
    assert pairs(named) == [("lung_left_upper", "lung_right_upper")]


def test_of_any_number_of_cases_a_swapped_pair_is_flagged():
    cases = cohort(2, 0)
    rows = cases.rows["c1"]
    rows["kidney-left"], rows["nier-rechts"] = rows["nier-rechts"], rows["kidney-left"]
    assert found(cases) == {("c1", "kidney-left", "sides")}


def test_cohorts_in_which_nothing_is_wrong_have_few_flags():
    flagged = [len({case for case, *_ in found(cohort(100, seed))}) for seed in range(8)]
    assert sum(flagged) <= 8


def test_fewer_cases_than_tell_what_is_usual_have_none_by_chance():
    cases = cohort(FEWEST - 1, 0)
    scaled(cases, "liver", "mask_volume_mm3", 5)
    assert found(cases) == set()


@pytest.mark.parametrize("cases", [20, 100])
def test_a_small_organ_is_flagged_by_its_volume_and_its_part(cases):
    cohort_of = cohort(cases, 1)
    scaled(cohort_of, "spleen", "mask_volume_mm3", 0.2)
    assert {(CASE, "spleen", "volume"), (CASE, "spleen", "part")} <= found(cohort_of)


def test_kidneys_that_differ_more_than_others_are_flagged():
    cases = cohort(100, 2)
    scaled(cases, "kidney-left", "mask_volume_mm3", 0.4)
    assert (CASE, "kidney-left", "asymmetry") in found(cases)


def test_a_bite_out_of_an_organ_that_its_volume_does_not_show_is_flagged():
    cases = cohort(100, 13)
    cases.rows[CASE]["spleen"]["morph_vol_dens_conv_hull"] = "0.81"
    flags = flags_of(cases, {key: {"ingest": [], "segment": []} for key in cases.rows}, [], {})
    (flag,) = (flag for flag in flags if flag["case"] == CASE)
    assert (flag["structure"], flag["check"], flag["unit"]) == ("spleen", "form", "%")
    assert flag["value"] == pytest.approx(19) and flag["high"] < 19


def test_what_is_stretched_along_one_axis_is_flagged_for_its_case():
    cases = cohort(100, 3)
    for name in NAMES:
        row = cases.rows[CASE][name]
        for column in ("centroid_z_mm", "bbox_min_z_mm", "bbox_max_z_mm"):
            row[column] = repr(1.3 * float(row[column]))
        scaled(cases, name, "mask_volume_mm3", 1.3)
    assert (CASE, "", "proportions") in found(cases)


def test_what_lies_elsewhere_or_is_of_another_intensity_is_flagged():
    cases = cohort(100, 4)
    row = cases.rows[CASE]["spleen"]
    row["centroid_y_mm"] = repr(float(row["centroid_y_mm"]) + 60)
    cases.rows[CASE]["liver"]["stat_median"] = "20"
    assert {(CASE, "spleen", "place"), (CASE, "liver", "intensity")} <= found(cases)


def test_neighbours_that_others_do_not_have_are_flagged():
    cases = cohort(100, 5)
    cases.contacts[CASE]["liver"] = {"outside": 0.6, "nier-rechts": 0.1, "spleen": 0.3}
    flags = flags_of(cases, {key: {"ingest": [], "segment": []} for key in cases.rows}, [], {})
    (flag,) = (f for f in flags if f["check"] == "neighbours" and "spleen" in f["message"])
    assert (flag["case"], flag["structure"], flag["value"]) == (CASE, "liver", 30.0)
    assert flag["low"] == 0 and flag["high"] < 15


def test_what_the_scan_cuts_is_not_held_against_whole_ones():
    cases = cohort(100, 6)
    scaled(cases, "liver", "mask_volume_mm3", 0.3)
    cases.rows[CASE]["liver"]["touches_border"] = "true"
    assert not {check for case, _, check in found(cases) if case == CASE} & {"volume", "part"}


def test_a_structure_that_only_one_case_lacks_is_flagged_and_one_that_many_lack_is_not():
    cases = cohort(40, 7)
    lost = {"status": "refused", "code": "structure-empty"}
    for case, name in ((CASE, "liver"), *((f"c{n}", "spleen") for n in range(10))):
        cases.rows[case][name] |= lost
    missing = {flag for flag in found(cases) if flag[2] == "missing"}
    assert missing == {(CASE, "liver", "missing")}


def test_two_scans_with_the_labels_of_one_are_flagged_both():
    cases = cohort(4, 8)
    inputs = {
        case: {
            "ingest": [{"name": "scan", "sha256": scan}],
            "segment": [{"name": "supplied", "sha256": labels}],
        }
        # The last two are one scan twice: whoever does so means it.
        for case, scan, labels in zip(cases.rows, "abcc", "xxyy", strict=True)
    }
    assert found(cases, inputs) == {("c0", "", "labels-shared"), ("c1", "", "labels-shared")}


def test_flags_come_in_the_order_of_the_sheet_with_limits_in_the_unit_of_the_value():
    cases = cohort(60, 9)
    scaled(cases, "spleen", "mask_volume_mm3", 0.15)
    cases.rows["c3"]["liver"]["stat_median"] = "300"
    flags = flags_of(cases, {key: {"ingest": [], "segment": []} for key in cases.rows}, [], {})
    order = [int(flag["case"][1:]) for flag in flags]
    assert order == sorted(order) and {3, 7} <= set(order)
    (volume,) = (f for f in flags if (f["case"], f["check"]) == (CASE, "volume"))
    volumes = [float(rows["spleen"]["mask_volume_mm3"]) for rows in cases.rows.values()]
    assert volume["unit"] == "mm3" and volume["value"] < volume["low"] < np.median(volumes)
    assert np.median(volumes) < volume["high"] and "60 cases" in volume["message"]


def test_what_the_recipe_expects_otherwise_is_flagged_in_any_number_of_cases():
    cases = cohort(2, 10)
    expected = {"whole": True, "volume_ml": [1000, 2000], "mean": [50, 200]}
    structures = [s | {"expect": expected if s["name"] == "liver" else {}} for s in STRUCTURES]
    cases = replace(cases, structures=structures)
    assert found(cases) == set()
    cases.rows["c0"]["liver"] |= {"touches_border": "true", "mask_volume_mm3": "900000"}
    cases.rows["c1"]["liver"]["stat_mean"] = "40"
    cases.warnings["c1"].append({"code": "scan-coarse", "message": "voxels are 9 mm long"})
    cases.warnings["c1"].append({"code": "volume-disputed", "message": "not of the scan"})
    flags = flags_of(cases, {key: {"ingest": [], "segment": []} for key in cases.rows}, [], {})
    told = [(f["case"], f["check"], f.get("value"), f.get("low")) for f in flags]
    assert told == [
        ("c0", "expected", None, None),
        ("c0", "expected", 900000, 1e6),
        ("c1", "scan", None, None),
        ("c1", "expected", 40, 50),
    ]
