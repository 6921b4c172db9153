import shutil

import numpy as np
import pytest
from cylinder_samples import cylinder_wall
from scanmill.refusal import Refusal
from scanmill.simulation import calculix
from scanmill.simulation.body import Elastic, Fixed, Problem, RaghavanVorp, Springs
from scanmill.simulation.calculix import solve

needs_calculix = pytest.mark.skipif(
    shutil.which("ccx") is None, reason="CalculiX is not installed (Debian: calculix-ccx)"
)
BODY = cylinder_wall(10.0, 15.0, 4.0, around=12, layers=1, along=1)
PRESSURES = {"inner": 0.016}
FIXED = Problem(BODY, {"wall": Elastic(1.0, 0.45)}, PRESSURES, {"bottom": Fixed()})


@pytest.fixture
def in_place_of_ccx(tmp_path, monkeypatch):
    """Put a shell script in the place of the program."""

    def put(script):
        program = tmp_path / "ccx"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return put


def test_without_the_program_it_says_which_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match=r"solver-missing: .* ccx is not installed"):
        solve(FIXED, seconds=60)


@pytest.mark.parametrize("script", ["exec sleep 600", "while :; do :; done"])
def test_a_program_that_hangs_is_ended(in_place_of_ccx, monkeypatch, script):
    monkeypatch.setattr(calculix, "PATIENCE", 5)
    in_place_of_ccx(script)
    with pytest.raises(Refusal, match=r"solver-slow: .* after 1 s of computing"):
        solve(FIXED, seconds=1)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", "CalculiX failed$"),
        ("kill -SEGV $$", "CalculiX failed$"),
        ("echo ' *ERROR in e_c3d: negative jacobian'; echo ' Job finished'", "negative jacobian"),
        ("echo ' *ERROR: cannot open file job.inp'", "cannot open file its input"),
        ("echo ' Job finished'; : >job.dat", "no displacements"),
    ],
)
def test_a_program_that_fails_is_refused_with_what_it_said(in_place_of_ccx, script, said):
    in_place_of_ccx(script)
    with pytest.raises(Refusal, match=f"solver-failed: .*{said}"):
        solve(FIXED, seconds=60)


@pytest.mark.parametrize(
    "script", ["kill -KILL $$", "echo '*ERROR in u_calloc: error allocating memory'"]
)
def test_a_lack_of_memory_is_no_refusal_since_more_may_help(in_place_of_ccx, script):
    in_place_of_ccx(script)
    with pytest.raises(MemoryError):
        solve(FIXED, seconds=60)


@pytest.mark.slow
@needs_calculix
def test_a_load_with_no_balance_is_refused():
    bursting = Problem(BODY, {"wall": RaghavanVorp(0.174, 0.0)}, {"inner": 5.0}, FIXED.supports)
    with pytest.raises(Refusal, match=r"solver-failed: CalculiX failed: "):
        solve(bursting, seconds=300)


@needs_calculix
def test_a_body_that_is_turned_inside_out_is_refused():
    cells = BODY.cells[:, [0, 2, 1, 3, 6, 5, 4, 7, 9, 8]]
    faces = {name: found[:, [0, 2, 1, 5, 4, 3]] for name, found in BODY.faces.items()}
    inverted = Problem(
        type(BODY)(BODY.points, cells, BODY.parts, faces),
        FIXED.materials,
        PRESSURES,
        FIXED.supports,
    )
    with pytest.raises(Refusal, match=r"solver-failed: .*jacobian"):
        solve(inverted, seconds=60)


@needs_calculix
def test_what_is_fixed_stays_and_springs_carry_the_load():
    """A ring that is pressed apart by its ends, on springs: force over stiffness is how far it goes."""
    supports = {
        "bottom": Springs(normal=0.5, outwards=0.5, around=0.5),
        "outer": Springs(normal=0.0, outwards=1e-9, around=1e-9),
    }
    pressed = Problem(BODY, {"wall": Elastic(1e6, 0.3)}, {"top": 0.016}, supports)
    found = solve(pressed, seconds=60).displacements
    assert np.allclose(found, [0.0, 0.0, -0.016 / 0.5], atol=1e-5)


@needs_calculix
@pytest.mark.parametrize("material", [Elastic(1.0, 0.3), RaghavanVorp(0.174, 1.881)])
def test_strains_and_stresses_are_of_the_displacements(material):
    """A prism that is drawn out along its axis between springs: uniaxial, known by hand."""
    supports = {
        "bottom": Springs(normal=1e5, outwards=0.0, around=0.0),
        "outer": Springs(normal=0.0, outwards=1e-7, around=1e-7),
    }
    pulled = Problem(BODY, {"wall": material}, {"top": -0.02}, supports)
    found = solve(pulled, seconds=120)
    strain, stress = found.strains.mean(axis=0), found.stresses.mean(axis=0)
    stretch = 1 + found.displacements[BODY.faces["top"], 2].mean() / 4.0
    if isinstance(material, Elastic):
        assert stress[2] == pytest.approx(0.02, rel=1e-3)
        assert strain[:3] == pytest.approx([-0.006, -0.006, 0.02], rel=1e-3)
    else:
        invariant = stretch**2 + 2 / stretch
        slope = material.alpha + 2 * material.beta * (invariant - 3)
        assert stress[2] == pytest.approx(2 * slope * (stretch**2 - 1 / stretch), rel=5e-3)
        assert strain[2] == pytest.approx((stretch**2 - 1) / 2, rel=1e-3)
        # Pressure is that on the area as it has become.
        assert stress[2] == pytest.approx(0.02, rel=1e-3)
