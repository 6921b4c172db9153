"""The page of a case as a person opens it: from disk, in a browser, with mouse, keyboard or reader."""

import io

import numpy as np
import pytest
from axe_core_python.selenium import Axe
from case_to_report import COLOURS, put_case, run_report
from chromium import BROWSER, DRIVER, chromium, errors, requests, wait
from earlier import GRID, ball
from PIL import Image
from scanmill.mesh_file import read_surface
from scanmill.report.window import SOFT
from scanmill.volume_file import read_volume
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium with chromedriver is here"),
]
PLAIN = {"metal": "mark", "bias": "off", "noise": "off"}
DESKTOP, PHONE = (1280, 900), (500, 844)
EDGE = 12
READY = "'ready' in document.getElementById('scene').dataset"
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return tmp_path_factory.mktemp("cases") / "case-one"


@pytest.fixture(scope="module")
def page(case):
    return run_report(put_case(case, PLAIN)).as_uri()


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), DESKTOP) as driver:
        driver.get(page)
        wait(driver, READY)
        yield driver


def canvas(browser) -> np.ndarray:
    """The 3D view's pixels within its rounded edge, [row, column, RGB]."""
    browser.execute_script(f"return {DRAWN}")
    seen = browser.find_element(By.ID, "scene").screenshot_as_png
    pixels = np.asarray(Image.open(io.BytesIO(seen)).convert("RGB")).astype(int)
    return pixels[EDGE:-EDGE, EDGE:-EDGE]


def greenish(pixels: np.ndarray) -> int:
    """Pixels in which the ball's colour prevails."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return int(((green > red + 15) & (green > blue + 15)).sum())


def click(browser, selector: str) -> None:
    browser.execute_script("arguments[0].click()", browser.find_element(By.CSS_SELECTOR, selector))


def test_it_opens_without_error_and_asks_nothing_of_the_network(browser, page):
    assert errors(browser) == []
    assert requests(browser, page) == []


def test_the_3d_view_shows_the_structures_and_each_can_be_hidden(browser):
    both = canvas(browser)
    assert both.std() > 5 and greenish(both) > 1000
    click(browser, "[data-body='1']")
    without = canvas(browser)
    assert greenish(without) < 20 and without.std() > 5
    click(browser, "[data-all='false']")
    assert canvas(browser).std() < 1
    click(browser, "[data-all='true']")
    assert (canvas(browser) == both).all()


def test_surfaces_and_scan_lie_where_they_are_in_the_patient(browser, case):
    props = "window.renderWindow.getRenderers().at(-1).getViewProps()"
    found = browser.execute_script(
        f"return {props}.filter(p => p.isA('vtkActor')).map(p => p.getMapper().getBounds())"
    )
    for name, bounds in zip(COLOURS, found, strict=True):
        points = read_surface(case / "surfaces" / f"{name}.ply").points
        ends = np.stack([points.min(axis=0), points.max(axis=0)], axis=1).ravel()
        assert bounds == pytest.approx(ends, abs=0.2)
    image = f"{props}.find(p => p.isA('vtkImageSlice')).getMapper().getInputData()"
    for index in ((0, 0, 0), (7, 0, 0), (0, 11, 0), (3, 5, 13)):
        place = browser.execute_script(f"return {image}.indexToWorld({list(index)})")
        assert place == pytest.approx(GRID.to_physical(np.array(index)), abs=1e-3)
    label = [int(n) for n in np.argwhere(ball())[0][::-1]]
    offset = f"{label[0]} + {GRID.size[0]} * ({label[1]} + {GRID.size[1]} * {label[2]})"
    value = browser.execute_script(f"return {image}.getPointData().getScalars().getTuple({offset})")
    scan = read_volume(case / "unsmoothed.nii.gz").array[tuple(label[::-1])]
    assert value[0] == SOFT.grey(np.array([scan]))[0]


def test_the_view_turns_by_keys_and_buttons(browser):
    front = canvas(browser)
    scene = browser.find_element(By.ID, "scene")
    scene.send_keys(Keys.ARROW_LEFT, Keys.ARROW_UP)
    assert (canvas(browser) != front).any(axis=-1).mean() > 0.01
    click(browser, "[data-from='front']")
    # The keys left the focus, and its ring, on the view.
    browser.execute_script("arguments[0].blur()", scene)
    assert (canvas(browser) == front).all()


def test_the_scan_is_shown_with_its_masks_and_moves(browser):
    click(browser, "[data-all='false']")
    for n in range(3):
        click(browser, f"[data-slice='{n}']")
    grey = canvas(browser)
    assert grey.std() > 5 and greenish(grey) == 0
    click(browser, "[data-body='1']")
    tinted = canvas(browser)
    assert greenish(tinted) > 1000
    moved = "const r = document.querySelector('[data-place]'); r.value = r.max; "
    browser.execute_script(moved + "r.dispatchEvent(new Event('input', {bubbles: true}))")
    assert (canvas(browser) != tinted).any()
    assert errors(browser) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_is_fit_for_screen_readers_and_no_wider_than_the_window(browser, size):
    browser.set_window_size(*size)
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.execute_script(f"return {wide}")
    found = Axe().run(browser)["violations"]
    assert [(v["id"], v["impact"]) for v in found if v["impact"] in ("serious", "critical")] == []
    for image in browser.find_elements(By.CSS_SELECTOR, "figure svg"):
        assert image.get_attribute("aria-label")
