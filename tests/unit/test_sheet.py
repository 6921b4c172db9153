"""The sheet: what is read, and what each mistake is called, with its line and column."""

import time
from pathlib import Path

import pytest
from scanmill import disk, sheet
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf

RULES = """\
description: By rules
modality: any
spacing: native
structures:
  - name: bone
    label: 1
    code: {scheme: SCT, value: "272673000", meaning: Bone}
    colour: "#ffffff"
    segment: {method: rules, steps: [window: [200, null]]}
"""
SUPPLIED = RULES.replace("{method: rules, steps: [window: [200, null]]}", "{method: labels}") + (
    "  - name: fat\n    label: 2\n"
    '    code: {scheme: SCT, value: "55603005", meaning: Adipose tissue}\n'
    '    colour: "#ffff00"\n    segment: {method: labels}\n'
)
SEEDED = RULES.replace(
    "{method: rules, steps: [window: [200, null]]}", "{method: seeded, reach: 20}"
)
TAUGHT = SUPPLIED.replace("{method: labels}", "{method: atlas}")
PHANTOMS = frozenset({"patient-a", "sphere"})
RESERVED = frozenset({"case", "structure", "label", "status", "volume_mm3"})


@pytest.fixture
def cohort(tmp_path):
    """A folder with spaces and letters beyond ASCII in its name, two recipes, scans and masks."""
    folder = tmp_path / "Études 1"
    for name in ("recipes", "dicom é", "masks", "few", "none"):
        (folder / name).mkdir(parents=True)
    (folder / "recipes" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "recipes" / "supplied.yaml").write_text(SUPPLIED, "utf-8")
    (folder / "recipes" / "seeded.yaml").write_text(SEEDED, "utf-8")
    (folder / "recipes" / "taught.yaml").write_text(TAUGHT, "utf-8")
    (folder / "recipes" / "broken.yaml").write_text("x: 1", "utf-8")
    for name in ("a.nii.gz", "b b.nii.gz", "masks/bone.nii.gz", "masks/fat.nii.gz"):
        (folder / name).touch()
    (folder / "masks" / "liver.nii.gz").touch()
    (folder / "few" / "bone.nii.gz").touch()
    return folder


def read(cohort, text, default="rules"):
    path = cohort / "Blatt über.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    shelf = Shelf(cohort / "recipes")
    shelf.find(default, cohort)
    return sheet.read(path, shelf, default, PHANTOMS, RESERVED)


def problems(cohort, text, default="rules"):
    """What is said of a sheet, without the name of the file."""
    with pytest.raises(SettingsError) as caught:
        read(cohort, text, default)
    start = f"{cohort / 'Blatt über.tsv'}:"
    lines = str(caught.value).split("\n")
    assert all(line.startswith(start) for line in lines)
    return [line.removeprefix(start) for line in lines]


def test_rows_are_read_in_order_with_everything(cohort):
    text = (
        "# a cohort\n\ncase\tscan\trecipe\tlabels\trole\tSexe é\tage\n"
        "p1\ta.nii.gz\t\t\t\tféminin\t007\n"
        "\t\t\n"
        " P-2 \t dicom é \ttaught\tmasks\tatlas\t\t \n"
        "3_x\tphantom:sphere\tsupplied\tphantom:sphere\tscan\tx\ty\n"
        "4\tb b.nii.gz\tsupplied\tfat = b b.nii.gz ; bone=a.nii.gz;\t\tx\ty\n"
        "5\ta.nii.gz\trecipes/supplied.yaml\ta.nii.gz\t\tx\ty\n"
    )
    rows = read(cohort, text)
    assert list(rows) == ["p1", "P-2", "3_x", "4", "5"]
    first = rows["p1"]
    assert first == sheet.Row(
        "p1",
        str(cohort / "a.nii.gz"),
        "",
        "",
        "rules",
        (),
        "",
        (),
        "scan",
        {"Sexe é": "féminin", "age": "007"},
        4,
    )
    assert list(first.extra) == ["Sexe é", "age"]
    atlas = rows["P-2"]
    assert atlas.scan == str(cohort / "dicom é")
    assert atlas.labels == (
        ("bone", str(cohort / "masks" / "bone.nii.gz")),
        ("fat", str(cohort / "masks" / "fat.nii.gz")),
    )
    assert atlas.role == "atlas" and atlas.extra == {"Sexe é": "", "age": ""} and atlas.line == 6
    assert rows["3_x"].scan == "phantom:sphere"
    assert rows["3_x"].labels == ((None, "phantom:sphere"),)
    assert rows["4"].labels == (
        ("fat", str(cohort / "b b.nii.gz")),
        ("bone", str(cohort / "a.nii.gz")),
    )
    assert rows["5"].recipe == str(cohort / "recipes" / "supplied.yaml")
    assert rows["5"].labels == ((None, str(cohort / "a.nii.gz")),)


def test_a_folder_without_masks_is_one_of_dicom_labels(cohort):
    (cohort / "set").mkdir()
    (cohort / "set" / "IM1").touch()
    rows = read(cohort, "case\tscan\trecipe\tlabels\na\ta.nii.gz\tsupplied\tset\n")
    assert rows["a"].labels == ((None, str(cohort / "set")),)


def test_a_reference_is_given_as_labels_are(cohort):
    text = (
        "case\tscan\trecipe\tlabels\treference\n"
        "a\ta.nii.gz\trules\t\tb b.nii.gz\n"
        "b\ta.nii.gz\tsupplied\tmasks\tfat=a.nii.gz\n"
        "c\ta.nii.gz\tsupplied\tmasks\tfew\n"
        "d\ta.nii.gz\trules\t\tphantom:sphere\n"
        "e\ta.nii.gz\trules\t\t\n"
    )
    rows = read(cohort, text)
    assert [row.reference for row in rows.values()] == [
        ((None, str(cohort / "b b.nii.gz")),),
        (("fat", str(cohort / "a.nii.gz")),),
        (("bone", str(cohort / "few" / "bone.nii.gz")),),
        ((None, "phantom:sphere"),),
        (),
    ]
    told = rows["b"].told()
    assert told["reference"] == [{"structure": "fat", "source": "file"}]
    assert "reference" not in rows["e"].told()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("gone.nii.gz", "does not exist; an existing file or folder would be right"),
        ("skin=a.nii.gz", "'skin' is no structure of the recipe; one of bone would be right"),
    ],
)
def test_a_reference_that_is_none_is_a_mistake(cohort, reference, said):
    (fault,) = problems(cohort, f"case\tscan\treference\na\ta.nii.gz\t{reference}\n")
    assert fault.startswith("2:12: 'reference': ") and said in fault


def test_an_atlas_has_no_reference(cohort):
    text = (
        "case\tscan\trecipe\tlabels\trole\treference\n"
        "a\ta.nii.gz\ttaught\tmasks\tatlas\tmasks\n"
        "b\ta.nii.gz\ttaught\tmasks\tatlas\t\n"
        "c\ta.nii.gz\ttaught\t\t\tmasks\n"
    )
    (fault,) = problems(cohort, text)
    assert fault.startswith("2:31: 'reference': a reference was found for an atlas")


def test_timepoints_that_are_no_order_are_mistakes_where_there_are_subjects(cohort):
    head = "case\tscan\tsubject\ttimepoint\n"
    rows = read(cohort, f"{head}a\ta.nii.gz\ts1\t0\nb\ta.nii.gz\ts1\t1.5\nc\ta.nii.gz\t\t\n")
    assert rows["b"].extra == {"subject": "s1", "timepoint": "1.5"}
    faults = problems(cohort, f"{head}a\ta.nii.gz\ts1\tbefore\nb\ta.nii.gz\t\t2\n")
    assert faults[0].startswith("2:15: 'timepoint': 'before' was found; a number, or a date")
    assert faults[1].startswith("3:12: 'subject': nothing was found beside a timepoint")
    plain = read(cohort, "case\tscan\ttimepoint\na\ta.nii.gz\tbefore\n")
    assert plain["a"].extra == {"timepoint": "before"}


def test_a_row_says_which_series_and_which_of_its_volumes(cohort):
    text = (
        "case\tscan\tvolume\tseries\n"
        "a\tdicom é\tEchoTime=4.92\tT1 tra é\n"
        "b\tdicom é\t12\t1.2.840.5\n"
        "c\tdicom é\t\t\n"
    )
    rows = read(cohort, text)
    assert [row.volume for row in rows.values()] == ["EchoTime=4.92", "12", ""]
    assert [row.series for row in rows.values()] == ["T1 tra é", "1.2.840.5", ""]
    assert rows["a"].extra == {}


@pytest.mark.parametrize("volume", ["0", "-1", "1.5", "second", "EchoTime=", "echo=3"])
def test_a_volume_is_a_number_from_one_or_a_keyword_with_its_value(cohort, volume):
    (fault,) = problems(cohort, f"case\tscan\tvolume\na\ta.nii.gz\t{volume}\n")
    assert fault.startswith("2:12: 'volume': ") and "EchoTime=4.92" in fault


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_of_any_system(cohort, newline, mark):
    text = newline.join(["case\tscan", "a\ta.nii.gz", "b\tb b.nii.gz", ""])
    rows = read(cohort, mark + text.encode())
    assert [(row.case, row.line) for row in rows.values()] == [("a", 2), ("b", 3)]


def test_cells_as_spreadsheets_quote_them(cohort):
    text = 'case\tscan\tnote\t\t\n"a"\ta.nii.gz\t"5"" wide, ""new"""\nb\ta.nii.gz\t5" wide\t\t\n'
    rows = read(cohort, text)
    assert rows["a"].extra == {"note": '5" wide, "new"'}
    assert rows["b"].extra == {"note": '5" wide'}


def test_an_absolute_path_and_a_folder_above(cohort):
    (cohort / "sheets").mkdir()
    path = cohort / "sheets" / "s.tsv"
    path.write_text(f"case\tscan\na\t../a.nii.gz\nb\t{cohort}/b b.nii.gz\n", "utf-8")
    rows = sheet.read(path, Shelf(cohort / "recipes"), None, PHANTOMS, RESERVED)
    assert Path(rows["a"].scan).samefile(cohort / "a.nii.gz")
    assert rows["b"].scan == str(cohort / "b b.nii.gz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the table is empty; a header line would be right"),
        ("# only this\n\n", "1:1: the table is empty; a header line would be right"),
        (
            "\ncase\tscan\n",
            "2:1: the sheet has a header and no case; a line per case would be right",
        ),
        ("case,scan\na,b\n", "1:1: the header is separated by commas; tabs would be right"),
        ("case;scan\na;b\n", "1:1: the header is separated by semicolons; tabs would be right"),
        ("case  scan\na b\n", "1:1: the header is separated by spaces; tabs would be right"),
        ("case\na\n", "1:1: the header has one column, 'case'; several, with tabs, would be right"),
        ("case\tage\na\t1\n", "1:1: the column 'scan' is missing; it is required"),
        ("scan\tage\na\t1\n", "1:1: the column 'case' is missing; it is required"),
        ("case\tscan\tage\tAge\n", "1:15: the column 'Age' was found twice; each name once"),
        ("case\tscan\tcase\n", "1:11: the column 'case' was found twice; each name once would"),
        ("case\tscan\t Role\n", "1:12: the column 'Role' was found; 'role' would be right"),
        ("case\tscan\tlabel\n", "1:11: the column 'label' is one of the results' own; another"),
        ("case\tscan\tSTATUS\n", "1:11: the column 'STATUS' is one of the results' own; another"),
        (
            "case\tscan\tdistance_to_cord_mm\n",
            "1:11: the column 'distance_to_cord_mm' is one of the",
        ),
        ("case\t\tscan\n", "1:6: a column without a name was found; a name would be right"),
        ('case\tscan\t"age\n', "1:11: the cell begins with a quotation mark and has no partner"),
        ("case\tscan".encode("utf-16"), "1:1: the file is in UTF-16; save it as UTF-8"),
        (b"case\tscan\na\tcaf\xe9\n", "2:6: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"case\tscan\na\tx\0y\n", "2:4: the control character U+0000 was found; plain text"),
    ],
)
def test_a_sheet_that_cannot_be_read(cohort, text, said):
    found = problems(cohort, text)
    assert found[0].startswith(said), found


HEAD = "case\tscan\trecipe\tlabels\trole\tage\n"
ID = "1 to 64 letters a to z, digits, '-' and '_', the first of them a letter or digit, would be"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a b\ta.nii.gz\t\t\t\t", f"2:1: 'case': 'a b' was found; {ID} right"),
        ("é\ta.nii.gz\t\t\t\t", f"2:1: 'case': 'é' was found; {ID} right"),
        ("-a\ta.nii.gz\t\t\t\t", f"2:1: 'case': '-a' was found; {ID} right"),
        ("../a\ta.nii.gz\t\t\t\t", f"2:1: 'case': '../a' was found; {ID} right"),
        ("a\u200b\ta.nii.gz\t\t\t\t", f"2:1: 'case': 'a\\u200b' was found; {ID} right"),
        (f"{'a' * 65}\ta.nii.gz\t\t\t\t", "2:1: 'case': 'aaaaa"),
        ("\ta.nii.gz\t\t\t\t", f"2:1: 'case': nothing was found; {ID} right"),
        ("Con\ta.nii.gz\t\t\t\t", "2:1: 'case': 'Con' cannot name a folder on Windows; another"),
        ("lpt1\ta.nii.gz\t\t\t\t", "2:1: 'case': 'lpt1' cannot name a folder on Windows; another"),
        ("a\t\t\t\t\t", "2:3: 'scan': nothing was found; a file or a DICOM folder would be right"),
        ("a\t  x.nii\t\t\t\t", "2:5: 'scan': '{cohort}/x.nii' does not exist; an existing file or"),
        ("a\ta.nii.gz/x\t\t\t\t", "2:3: 'scan': '{cohort}/a.nii.gz/x' does not exist; an existing"),
        (f"a\t{'x' * 300}\t\t\t\t", "2:3: 'scan': '{cohort}/xxx"),
        ("a\t/dev/null\t\t\t\t", "2:3: 'scan': '/dev/null' is neither a file nor a folder; an"),
        ("a\tphantom:spere\t\t\t\t", "2:3: 'scan': the phantom 'spere' is unknown; 'sphere' would"),
        ("a\ta.nii.gz\truls\t\t\t", "2:12: 'recipe': the recipe 'ruls' is unknown; 'rules' would"),
        ("a\ta.nii.gz\tx/y.yaml\t\t\t", "2:12: 'recipe': '{cohort}/x/y.yaml' does not exist; a"),
        ("a\ta.nii.gz\t\t\tatlass\t", "2:14: 'role': 'atlass' was found; 'atlas' would be right"),
        ("a\ta.nii.gz\t\t\tatlas\t", "2:13: 'labels': nothing was found; an atlas needs labels,"),
        ("a\ta.nii.gz\t\tx.nii\t\t", "2:13: 'labels': '{cohort}/x.nii' does not exist; an"),
        ("a\ta.nii.gz\t\tphantom:x\t\t", "2:13: 'labels': the phantom 'x' is unknown; one of"),
        (
            "a\ta.nii.gz\tsupplied\t\t\t",
            "2:21: 'labels': nothing was found, and the recipe takes bone, fat from supplied",
        ),
        (
            "a\ta.nii.gz\tsupplied\tfew\t\t",
            "2:21: 'labels': no mask was found for fat; <structure>.nii.gz in '{cohort}/few' would",
        ),
        (
            "a\ta.nii.gz\t\tnone\t\t",
            "2:13: 'labels': no mask was found for any structure of the recipe; <structure>.nii.gz",
        ),
        (
            "a\ta.nii.gz\tsupplied\tbone=a.nii.gz\t\t",
            "2:21: 'labels': no mask was found for fat; structure=path for each would be right",
        ),
        (
            "a\ta.nii.gz\t\tbnoe=a.nii.gz\t\t",
            "2:13: 'labels': 'bnoe' is no structure of the recipe; 'bone' would be right",
        ),
        (
            "a\ta.nii.gz\t\tbone=a.nii.gz;bone=a.nii.gz\t\t",
            "2:13: 'labels': 'bone' was found twice; one mask a structure would be right",
        ),
        (
            "a\t{b}.nii.gz\t\t\t\t",
            "2:3: 'scan': '{cohort}/{b}.nii.gz' has braces, which Snakemake takes for a wildcard;",
        ),
        (
            "a\ta.nii.gz\t\tbone=a.nii.gz\t\t",
            "2:13: 'labels': labels were found, and the recipe 'rules' takes none; an empty cell",
        ),
        ("a\ta.nii.gz\t\tbone=;\t\t", "2:13: 'labels': 'bone=' was found; structure=path would"),
        ("a\ta.nii.gz\t\tbone=x\t\t", "2:13: 'labels': '{cohort}/x' does not exist; an existing"),
        (
            "a\ta.nii.gz\t\tbone=masks\t\t",
            "2:13: 'labels': '{cohort}/masks' is a folder; a mask's file would be right",
        ),
        (
            "a\ta.nii.gz",
            "2:1: 2 of 6 cells were found; a tab before each cell, empty or not, would",
        ),
        ("a,a.nii.gz,,,,", "2:1: 1 of 6 cells were found; tabs in place of commas would be right"),
        ("a\ta.nii.gz\t\t\t\t1\t\tx", "2:18: 8 cells were found; 6, as in the header, would be"),
        ('a\ta.nii.gz\t\t\t\t"x', "2:15: the cell begins with a quotation mark and has no"),
    ],
)
def test_each_mistake_is_named_where_it_stands(cohort, line, said):
    assert problems(cohort, HEAD + line + "\n")[0].startswith(said.replace("{cohort}", str(cohort)))


def test_cases_must_differ_also_where_a_file_system_folds_case(cohort):
    text = "case\tscan\na\ta.nii.gz\nA\ta.nii.gz\na\ta.nii.gz\n"
    assert problems(cohort, text) == [
        "3:1: 'case': 'A' differs in case only from 'a', which is already in line 2; another would "
        "be right",
        "4:1: 'case': 'a' is already in line 2; another would be right",
    ]


def test_all_mistakes_are_said_at_once_and_in_order(cohort):
    text = HEAD + "a b\tx\tr\t\tboss\t\nb\ta.nii.gz\nc\ta.nii.gz\t\t\tatlas\t\n"
    places = [said.split(": ")[0] for said in problems(cohort, text)]
    assert places == ["2:1", "2:5", "2:7", "2:10", "3:1", "4:13"]


def test_a_row_of_a_broken_recipe_is_still_checked(cohort):
    text = HEAD + "a\tx\tbroken\tbone=y\t\t\n"
    assert len(problems(cohort, text)) == 2


def test_needed_labels_are_named_where_there_is_no_such_column(cohort):
    said = problems(cohort, "case\tscan\nabc\ta.nii.gz\n", default="supplied")
    assert said[0].startswith("2:1: 'labels': nothing was found, and the recipe takes bone, fat")


def test_each_path_is_looked_up_once(cohort, monkeypatch):
    seen = []
    kind = disk.kind
    monkeypatch.setattr("scanmill.disk.kind", lambda path: seen.append(path) or kind(path))
    rows = "".join(f"c{i}\ta.nii.gz\tsupplied\tmasks\t\t\n" for i in range(100))
    read(cohort, HEAD + rows)
    assert sorted(seen) == [cohort / "a.nii.gz", cohort / "masks"]


@pytest.mark.slow
def test_fifty_thousand_rows_take_seconds(cohort):
    rows = "".join(f"case-{i}\ta.nii.gz\tsupplied\tmasks\t\t{i}\n" for i in range(50_000))
    start = time.process_time()
    assert len(read(cohort, HEAD + rows)) == 50_000
    assert time.process_time() - start < 5


SEEDS = "structure\tx\ty\tz\nbone\t1\t2\t3\nbackground-2\t4\t5\t6\n"


def test_seeds_are_found_beside_the_sheet(cohort):
    (cohort / "points é.tsv").write_text(SEEDS, "utf-8")
    rows = read(
        cohort,
        "case\tscan\trecipe\tseeds\tlabels\trole\n"
        "a\ta.nii.gz\tseeded\tpoints é.tsv\t\t\n"
        "b\ta.nii.gz\trules\t\t\t\n",
    )
    assert [row.seeds for row in rows.values()] == [str(cohort / "points é.tsv"), ""]
    assert not rows["a"].extra


@pytest.mark.parametrize(
    "recipe, cell, text, said",
    [
        ("seeded", "", SEEDS, "nothing was found, and the recipe grows bone from seeds; the path"),
        ("rules", "s.tsv", SEEDS, "seeds were found, and the recipe 'rules' takes none; an empty"),
        ("seeded", "few", SEEDS, "{0}/few' is a folder; a file of seeds would be right"),
        ("seeded", "no.tsv", SEEDS, "{0}/no.tsv' does not exist; an existing file or folder"),
        (
            "seeded",
            "s.tsv",
            SEEDS.replace("bone", "bnoe"),
            "{0}/s.tsv:2:1: a seed of 'bnoe' was found, which the recipe does not grow; 'bone' would",
        ),
        (
            "seeded",
            "s.tsv",
            SEEDS.replace("\t5\t", "\tnan\t"),
            "{0}/s.tsv:3:16: 'y': 'nan' was found; LPS mm would be right",
        ),
    ],
)
def test_seeds_that_cannot_be_used_are_told_before_any_job(cohort, recipe, cell, text, said):
    (cohort / "s.tsv").write_text(text, "utf-8")
    sheet_text = f"case\tscan\trecipe\tseeds\na\ta.nii.gz\t{recipe}\t{cell}\n"
    (found,) = problems(cohort, sheet_text)
    assert found.split(": 'seeds': ")[1].lstrip("'").startswith(said.format(cohort))


def test_atlases_of_a_recipe_teach_its_cases(cohort):
    rows = read(cohort, HEAD + "a\ta.nii.gz\ttaught\tmasks\tatlas\t\nb\ta.nii.gz\ttaught\t\t\t\n")
    assert [row.role for row in rows.values()] == ["atlas", "scan"]
    assert [name for name, _ in rows["a"].labels] == ["bone", "fat"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "a\ta.nii.gz\ttaught\t\t\t\n",
            "2:20: 'role': the recipe 'taught' finds bone, fat by atlases, and no row is one; rows",
        ),
        (
            "a\ta.nii.gz\trules\tmasks\tatlas\t\n",
            "2:24: 'role': 'atlas' was found, and the recipe 'rules' learns nothing from atlases;",
        ),
        (
            "a\ta.nii.gz\ttaught\tbone=a.nii.gz\tatlas\t\n",
            "2:19: 'labels': no mask was found for fat; structure=path for each would be right",
        ),
        (
            "a\ta.nii.gz\ttaught\tfew\tatlas\t\n",
            "2:19: 'labels': no mask was found for fat; <structure>.nii.gz in ",
        ),
        (
            "a\ta.nii.gz\ttaught\tmasks\t\t\n",
            "2:19: 'labels': labels were found, and the recipe 'taught' takes none; an empty cell",
        ),
    ],
)
def test_a_sheet_whose_atlases_and_recipes_do_not_fit_is_told_why(cohort, lines, said):
    (found,) = problems(cohort, HEAD + lines)
    assert found.startswith(said)
