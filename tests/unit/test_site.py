"""The site file: what it gives, what is wrong with it, and that no secret of it is ever shown."""

import traceback
from pathlib import Path

import pytest
from scanmill import site, yaml_file
from scanmill.problem import SettingsError

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-SECRET"
KEY = "00ff" * 16
GOOD = f"""\
pseudonym_key: "{KEY}"
dicomweb:
  url: https://pacs.example.org/dicom-web/
  user: mill
  password: "{SECRET}"
  ca: ca.pem
dimse: {{host: pacs.example.org, port: 104, called: PACS, tls: {{ca: ca.pem}}}}
"""


def load(folder, text, mode=0o600, **variables):
    path = folder / "site.yaml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return site.load({"SCANMILL_SITE": str(path)} | variables)


def problems(folder, text, **more):
    with pytest.raises(SettingsError) as caught:
        load(folder, text, **more)
    trace = "".join(traceback.format_exception(caught.value))
    assert "SECRET" not in trace and "SECRET" not in repr(caught.value)
    return [str(p).removeprefix(f"{folder / 'site.yaml'}:") for p in caught.value.problems]


def test_a_site_file_is_read_and_keeps_its_secrets_to_itself(tmp_path):
    (tmp_path / "ca.pem").touch()
    found = load(tmp_path, GOOD)
    assert found.pseudonym_key == bytes.fromhex(KEY)
    assert (found.dicomweb.url, found.dicomweb.user) == (
        "https://pacs.example.org/dicom-web",
        "mill",
    )
    assert found.dicomweb.password == SECRET and found.dicomweb.ca == tmp_path / "ca.pem"
    assert (found.dimse.port, found.dimse.calling) == (104, "SCANMILL")
    assert found.dimse.tls == site.Tls(ca=tmp_path / "ca.pem")
    assert SECRET not in repr(found) and "xff" not in repr(found) and "mill" not in repr(found)


def test_secrets_come_from_files_and_variables_too(tmp_path):
    (tmp_path / "word").write_text(f"{SECRET}\n")
    text = "dicomweb: {url: 'https://p/', user: a, password_file: word}"
    assert load(tmp_path, text).dicomweb.password == SECRET
    text = "dicomweb: {url: 'https://p/', token_env: PACS_TOKEN}"
    assert load(tmp_path, text, PACS_TOKEN=SECRET).dicomweb.token == SECRET
    assert load(tmp_path, "", SCANMILL_PSEUDONYM_KEY=KEY).pseudonym_key == bytes.fromhex(KEY)


def test_the_example_is_a_site_file(tmp_path):
    (tmp_path / "pacs-password.txt").write_text(SECRET)
    found = load(tmp_path, (ROOT / "config" / "site.example.yaml").read_text("utf-8"))
    assert found.dicomweb.password == SECRET and found.dimse.called == "PACS"


def test_the_readme_describes_every_key():
    text = (ROOT / "config" / "README.md").read_text("utf-8").partition("## PACS")[2]
    known = yaml_file.schema("site")["properties"]
    names = [*known, *known["dicomweb"]["properties"], *known["dimse"]["properties"]]
    assert len(names) > 15 and [name for name in names if f"`{name}`" not in text] == []


def test_without_a_site_file_there_is_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(site, "DEFAULT", tmp_path / "none.yaml")
    assert site.load({}) == site.Site()
    assert site.load({"SCANMILL_PSEUDONYM_KEY": KEY}).pseudonym_key == bytes.fromhex(KEY)


def test_a_named_site_file_must_be_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        site.load({"SCANMILL_SITE": str(tmp_path / "gone.yaml")})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_site_file_that_others_may_read_or_change_is_refused(tmp_path, mode):
    (found,) = problems(tmp_path, "{}", mode=mode)
    assert f"mode {mode:04o}" in found and "0600 would be right" in found


WEB = "dicomweb: {{url: 'https://p/', {}}}"
WRONG = {
    "password as a number": (WEB.format("user: a, password: 12345"), "1:50: ", "in quotes"),
    "a text in the place of a server": ("dicomweb: https://u:SECRET@p/", "1:11: ", "the url of"),
    "a user in the address": ("dicomweb: {url: 'https://u:SECRET@p/'}", "1:17: ", "without user"),
    "an unknown key": ("dicomweb: {url: 'https://p/', SECRET: 1}", "1:31: ", "password"),
    "an anchor": (WEB.format("user: a, password: *SECRET"), "1:50: ", "the value itself"),
    "a tag": (WEB.format("user: a, password: !SECRET x"), "1:50: ", "a plain value"),
    "a key twice": ("pseudonym_key: SECRET\npseudonym_key: SECRET", "2:1: ", "keep one"),
    "no YAML": ("dicomweb: {password: SECRET", "", "YAML"),
    "a short key": ("pseudonym_key: 'SECRET00'", "1:16: ", "64 hexadecimal"),
    "two passwords": (WEB.format("user: a, password: SECRET, password_env: X"), "", "one would"),
    "a password alone": (WEB.format("password: SECRET"), "1:11: ", "both would be right"),
    "a user alone": (WEB.format("user: SECRET"), "1:11: ", "both would be right"),
    "both ways": (WEB.format("user: a, password: SECRET, token: SECRET"), "", "one of them"),
    "no such file": (WEB.format("token_file: SECRET"), "1:43: ", "a file that holds it"),
    "no such variable": (WEB.format("token_env: SECRET"), "1:42: ", "a variable that holds"),
    "no such bundle": (WEB.format("ca: SECRET.pem"), "1:35: ", "an existing file"),
    "no port": ("dimse: {host: p, called: A}", "1:8: ", "'port' with a whole number"),
    "a long title": ("dimse: {host: p, port: 1, called: SECRETSECRETSECRET}", "", "1 to 16"),
}


@pytest.mark.parametrize("text, place, right", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_placed_and_not_quoted(tmp_path, text, place, right):
    found = problems(tmp_path, text)
    assert any(p.startswith(place) and right in p for p in found), found


@pytest.mark.parametrize("host", ["pacs.example.org", "10.0.0.1", "127.0.0.1.example.org"])
def test_secrets_do_not_travel_in_the_clear(tmp_path, host):
    for secret in ("user: a, password: SECRET", "token: SECRET"):
        text = f"dicomweb: {{url: 'http://{host}/', {secret}}}"
        assert ["https would be right" in p for p in problems(tmp_path, text)] == [True]
    assert load(tmp_path, f"dicomweb: {{url: 'http://{host}/'}}").dicomweb


@pytest.mark.parametrize("host", ["localhost:8042", "127.0.0.1", "[::1]:80"])
def test_loopback_is_no_network(tmp_path, host):
    text = f"dicomweb: {{url: 'http://{host}/', token: SECRET}}"
    assert load(tmp_path, text).dicomweb.token == "SECRET"


def test_a_key_in_the_environment_is_checked_and_not_shown(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "", SCANMILL_PSEUDONYM_KEY="SECRET")
    assert "SECRET" not in str(caught.value) and "64 hexadecimal" in str(caught.value)
