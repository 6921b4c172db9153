"""Cards: the way of a scan's path past the logs."""

import os
import stat

from scanmill.card import read_card, write_card


def test_a_card_gives_back_what_was_written(tmp_path):
    card = tmp_path / "one" / "scan.card"
    write_card(card, ["/scans/Doe, Jané/x.mhd", "/scans/x.raw"], wanted_series="T1\t'é'\n")
    files, said = read_card(card)
    assert [str(file) for file in files] == ["/scans/Doe, Jané/x.mhd", "/scans/x.raw"]
    assert said == {"wanted_series": "T1\t'é'\n"}


def test_only_its_owner_can_read_a_card(tmp_path):
    card = tmp_path / "one" / "scan.card"
    write_card(card, ["a"])
    assert stat.S_IMODE(card.stat().st_mode) == 0o600
    assert stat.S_IMODE(card.parent.stat().st_mode) == 0o700


def test_a_card_that_says_the_same_keeps_its_time(tmp_path):
    card = tmp_path / "one" / "scan.card"
    write_card(card, ["a"], wanted_volume="1")
    os.utime(card, (5, 5))
    write_card(card, ["a"], wanted_volume="1")
    assert card.stat().st_mtime == 5
    write_card(card, ["a"], wanted_volume="2")
    assert card.stat().st_mtime > 5 and read_card(card)[1] == {"wanted_volume": "2"}
