"""What the page of a large cohort weighs, and how soon a browser shows, sorts and filters it.

    python bench/cohort_page.py [cases, 1000] [structures, 25]

Made-up tables, thumbnails by the real code, Debian's Chromium from disk. Goals: 20 MB, and 3 s until
there is something to see.
"""

import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "rules")]
from chromium import chromium, wait  # noqa: E402
from cohort_to_overview import put_cohort, run_overview  # noqa: E402

OPENED = 5
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LOADED = "performance.timing.loadEventEnd - performance.timing.navigationStart"
# Milliseconds until what a click or key changed is drawn.
AFTER = """
const [selector, act] = arguments;
const done = arguments[2];
const from = performance.now();
const found = document.querySelector(selector);
if (act === "click") found.click();
else { found.value = act; found.dispatchEvent(new Event("input", {bubbles: true})); }
requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
"""


def main() -> None:
    """Print the figures."""
    cases, structures = map(int, [*sys.argv[1:], *("1000", "25")[len(sys.argv) - 1 :]])
    with TemporaryDirectory() as place:
        folder = Path(place)
        told = put_cohort(folder, cases, structures)
        sizes = [path.stat().st_size for path in folder.glob("results/cases/*/thumbnail.png")]
        start = time.process_time()
        page = run_overview(told)
        print(f"{cases} cases of {structures} structures")
        print(f"made in {time.process_time() - start:.1f} s of CPU time")
        print(f"page {page.stat().st_size / 1e6:.1f} MB, largest thumbnail {max(sizes)} bytes")
        with chromium(folder / "profile", (1280, 900)) as browser:
            seen = []
            for _ in range(OPENED):
                browser.get(page.as_uri())
                wait(browser, PAINT)
                seen.append(browser.execute_script(f"return [{PAINT}, {LOADED}]"))
            first, loaded = (median(times) for times in zip(*seen, strict=True))
            print(f"first view {first:.0f} ms, loaded {loaded:.0f} ms (median of {OPENED})")
            for what, *told in (
                ("sorted", "#table thead th:last-child button", "click"),
                ("searched", "#search", "case-09"),
            ):
                print(f"{what} {browser.execute_async_script(AFTER, *told):.0f} ms")


if __name__ == "__main__":
    main()
