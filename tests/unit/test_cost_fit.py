"""Costs of units of work from what jobs used."""

import numpy as np
import pytest
from scanmill.cost_fit import fit

TRUTH = {"start": 100.0, "acquired": 6.0, "isotropic": 4.5}
GUESSED = {"start": 300.0, "acquired": 1.0, "isotropic": 20.0}


def works(count, seed):
    random = np.random.default_rng(seed)
    amounts = np.exp(random.uniform(0, 5, (count, 2)))
    return [{"start": 1, "acquired": a, "isotropic": b} for a, b in amounts]


def used(jobs, costs):
    return np.array([sum(costs[name] * job[name] for name in costs) for job in jobs])


def test_known_costs_are_recovered():
    jobs = works(20, 1)
    found = fit(jobs, used(jobs, TRUTH), GUESSED, least=0)
    assert found == pytest.approx(TRUTH, rel=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_no_job_lacks_anything_and_more_work_takes_no_less(seed):
    jobs = works(12, seed)
    taken = used(jobs, TRUTH) * np.random.default_rng(seed + 50).uniform(0.6, 1.6, len(jobs))
    found = fit(jobs, taken, GUESSED, least=0)
    given = used(jobs, found)
    assert (given >= taken).all()
    assert min(found.values()) >= 0
    # From above, and close: some job is given just what it used, rounding aside.
    assert (given / taken).min() < 1.01


def test_what_no_job_had_any_of_keeps_its_cost():
    jobs = [{"start": 1, "acquired": a, "isotropic": 0} for a in (1, 5, 20)]
    taken = [110, 130, 220]
    found = fit(jobs, taken, GUESSED, least=0)
    assert found["isotropic"] == GUESSED["isotropic"]
    assert fit([], [], GUESSED, least=0) == GUESSED


def test_what_jobs_of_one_size_do_not_tell_stays_as_it_was():
    jobs = [{"start": 1, "acquired": 10, "isotropic": 30}] * 3
    known = {"start": 100.0, "acquired": 3.0, "isotropic": 5.0}
    assert fit(jobs, [280, 280, 270], known, least=0) == known
    found = fit(jobs, [310, 310, 300], known, least=0)
    assert found["start"] == 100 or found["acquired"] == 3
    assert used(jobs, found)[0] >= 310


def test_jobs_that_used_no_more_than_all_are_given_tell_nothing():
    known = {"start": 100.0, "acquired": 6.0}
    small = [{"start": 1, "acquired": a} for a in (0.6, 0.7, 0.8)]
    assert fit(small, [450, 176, 20], known, least=450) == known
    large = [*small, {"start": 1, "acquired": 100}]
    found = fit(large, [450, 176, 20, 900], known, least=450)
    assert found["start"] == 100 and found["acquired"] == 8


def test_a_cost_that_hardly_matters_to_any_job_is_not_told_by_them():
    known = {"start": 41.0, "cases": 0.04}
    jobs = [{"start": 1, "cases": n} for n in (1, 6, 30)]
    found = fit(jobs, [60, 61, 60], known, least=10)
    assert found["cases"] == 0.04
    assert found["start"] + 6 * 0.04 >= 61
    many = [{"start": 1, "cases": n} for n in (1, 600, 3000)]
    found = fit(many, [60, 120, 360], known, least=10)
    assert found["cases"] == pytest.approx(0.1, rel=0.02)
