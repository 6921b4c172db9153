"""Take a picture of a cohort's page for the README: the table of cases and a distribution.

python docs/cohort_page.py results/cohort/report.html picture.png [column that the table is sorted by]
"""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "rules"))
from chromium import chromium, wait  # noqa: E402

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


if __name__ == "__main__":
    picture(Path(sys.argv[1]), Path(sys.argv[2]), "".join(sys.argv[3:4]))
