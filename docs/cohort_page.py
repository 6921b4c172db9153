"""134 hand-drawn hippocampi through the workflow, what pages cost, and a picture of their cohort's.

    python docs/cohort_page.py DATA FOLDER picture.png

DATA: `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task. FOLDER: a new one,
for the cohort: recipe `hippocampus` with their own labels, shapes compared.
"""

import io
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "rules")]
from chromium import chromium, wait  # noqa: E402
from scanmill.columns import STAGES  # noqa: E402
from scanmill.used import told  # noqa: E402

SIZE = (1180, 1800)
COLOURS = 128
DRAWN = "document.querySelectorAll('#plot .point').length > 0"
# Sort by a column, its largest values first, and show less of the table than of a screen.
SHOW = """
const heads = [...document.querySelectorAll("#table thead button")];
const head = heads.find((button) => button.textContent.startsWith(arguments[0]));
head?.click();
head?.click();
document.querySelector("#cases .tall").style.maxHeight = "560px";
"""


def picture(page: Path, path: Path, column: str) -> None:
    """Write a PNG of the page's upper part."""
    with TemporaryDirectory() as profile, chromium(Path(profile), SIZE) as browser:
        browser.get(page.resolve().as_uri())
        wait(browser, DRAWN)
        browser.execute_script(SHOW, column)
        end = browser.execute_script(
            "return document.querySelector('.plot').getBoundingClientRect().bottom + scrollY"
        )
        shot = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
    shot.convert("RGB").crop((0, 0, shot.width, int(end))).quantize(COLOURS).save(
        path, optimize=True
    )


def run(data: Path, folder: Path) -> Path:
    """Run the cohort, and return its page."""
    folder.mkdir(parents=True)
    known = (ROOT / "config" / "recipes" / "hippocampus.yaml").read_text()
    drawn = "shape_check: true\n    segment: {method: labels}"
    (folder / "drawn.yaml").write_text(re.sub(r"segment: {method: atlas.*}", drawn, known))
    with open(folder / "scans.tsv", "w") as sheet:
        sheet.write("case\tscan\tlabels\n")
        for scan in sorted((data / "images").glob("*.nii.gz")):
            labels = data / "labels" / scan.name
            sheet.write(f"{scan.name.partition('.')[0]}\t{scan}\t{labels}\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", "--quiet", "all"]
    command += ["--config", "scans=scans.tsv", "recipe=drawn.yaml"]
    subprocess.run(command, check=True)
    return folder / "results" / "cohort" / "report.html"


def print_costs(logs: Path) -> None:
    """CPU seconds of each stage of the cases, all together, as their logs tell them."""
    took = {stage: _cpu_s(logs.glob(f"*/{stage}.log")) for stage in (*STAGES, "report")}
    print(" | ".join(took))
    print(" | ".join(f"{seconds:.0f}" for seconds in took.values()))
    pages = took.pop("report")
    print(f"Pages took {100 * pages / sum(took.values()):.0f} % of what the rest of the cases did.")


def _cpu_s(logs: Iterable[Path]) -> float:
    return sum(found.cpu_s for path in logs if (found := told(path)))


if __name__ == "__main__":
    given, new, drawing = map(Path, sys.argv[1:4])
    picture(run(given.resolve(), new.resolve()), drawing, "What to know")
    print_costs(new / "logs")
