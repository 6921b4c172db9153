"""What jobs ask for by a file of costs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from scanmill import costs
from scanmill.costs import SHIPPED, Costs
from scanmill.problem import SettingsError

ROOT = Path(__file__).parents[2]
KNOWN = Costs(
    headroom={"memory_mb": 1.25, "seconds": 3},
    least={"memory_mb": 400, "seconds": 60},
    snakemake_mb={"start": 340, "cases": 0.01},
    rules={
        "mesh": {
            "memory_mb": {"start": 100, "isotropic": 10},
            "seconds": {"start": 2, "isotropic": 0.5},
        }
    },
)


def test_head_room_lies_on_the_costs_and_snakemake_beside_them():
    work = {"start": 1, "isotropic": 64, "acquired": 1000, "cases": 500}
    assert KNOWN.expected("mesh", "memory_mb", work) == 740
    assert KNOWN.memory_mb("mesh", work) == 345 + 925
    assert KNOWN.minutes("mesh", work) == 2  # 3 x 34 s


def test_no_job_gets_less_than_the_least():
    assert KNOWN.memory_mb("mesh", {"start": 1}) == 340 + 400
    assert KNOWN.minutes("mesh", {"start": 1}) == 1


def test_the_shipped_costs_know_every_rule_of_the_workflow():
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    blocks = dict(re.findall(r"^rule (\w+):(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL))
    rules = {rule for rule, block in blocks.items() if "localrule: True" not in block}
    assert costs.read(SHIPPED).rules.keys() == rules
    asking = re.findall(r"mem_mb=memory\(\"(\w+)\"\),\s+runtime=minutes\(\"(\w+)\"\)", text)
    assert sorted(asking) == sorted((rule, rule) for rule in rules)


def test_a_file_says_what_is_read_from_it(tmp_path):
    shipped = costs.read(SHIPPED)
    other = replace(shipped, snakemake_mb={"start": 500.0})
    (tmp_path / "costs.yaml").write_text(yaml.safe_dump(costs.plain(other)))
    assert costs.read(tmp_path / "costs.yaml") == other


@pytest.mark.parametrize(
    ("found", "wrong", "said"),
    [
        (
            "start: 50",
            "start: -50",
            "'start': -50 was found; a number of at least 0 would be right",
        ),
        (", isotropic:", ", isotropy:", "the key 'isotropy' is unknown; 'isotropic'"),
        ("  fetch:", "  fetched:", "the key 'fetch' is missing"),
        ("headroom: {memory_mb: 1", "headroom: {memory_mb: 0", "a number of at least 1"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, found, wrong, said):
    text = SHIPPED.read_text()
    text = re.sub(r"start: \d+(?=[,}])", "start: 50", text)
    assert found in text
    (tmp_path / "costs.yaml").write_text(text.replace(found, wrong, 1))
    with pytest.raises(SettingsError) as caught:
        costs.read(tmp_path / "costs.yaml")
    assert said in str(caught.value)
