"""The page of a cohort as a person opens it: from disk, in a browser; it sorts, filters and draws."""

import csv

import numpy as np
import pytest
from axe_core_python.selenium import Axe
from chromium import BROWSER, DRIVER, chromium, errors, requests
from cohort_to_overview import DOSES, FAR, REFUSED, SITES, name, put_cohort, run_overview
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium with chromedriver is here"),
]
CASES = 24
DESKTOP, PHONE = (1280, 900), (500, 844)
SHOWN = "[...document.querySelectorAll('#table tbody tr:not([hidden])')]"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return put_cohort(tmp_path_factory.mktemp("cohort"), CASES, 2)


@pytest.fixture(scope="module")
def page(told):
    return run_overview(told).as_uri()


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), DESKTOP) as driver:
        yield driver


@pytest.fixture(autouse=True)
def opened(browser, page):
    browser.get(page)


def lines(browser) -> list[str]:
    """The cases that are shown, in their order."""
    return browser.execute_script(f"return {SHOWN}.map(r => r.cells[0].textContent.trim())")


def choose(browser, element, text: str) -> None:
    """Choose an option by what it says, and have the page hear of it before anything else is asked."""
    Select(element).select_by_visible_text(text)
    heard = "arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
    browser.execute_script(heard, element)


def column(browser, title: str) -> int:
    heads = browser.find_elements(By.CSS_SELECTOR, "#table thead th")
    (place,) = [n for n, head in enumerate(heads) if head.text.startswith(title)]
    return place


def head(browser, title: str):
    heads = browser.find_elements(By.CSS_SELECTOR, "#table thead th")
    return heads[column(browser, title)].find_element(By.TAG_NAME, "button")


def volumes(told) -> dict[str, float]:
    with open(told["measurements"], newline="") as stream:
        found = [row for row in csv.DictReader(stream) if row["structure"] == "organ-1"]
    return {row["case"]: float(row["volume_mm3"] or "nan") for row in found}


def test_it_opens_without_error_and_asks_nothing_of_the_network(browser, page):
    assert errors(browser) == []
    assert requests(browser, page) == []
    assert len(lines(browser)) == CASES


def test_the_table_sorts_by_keyboard_numbers_as_numbers_and_what_is_missing_last(browser, told):
    known = volumes(told)
    by_volume = sorted((n for n in known if n not in map(name, REFUSED)), key=known.get)
    missing = [name(n) for n in REFUSED]
    button = head(browser, "organ-1")
    button.send_keys(Keys.ENTER)
    assert lines(browser) == by_volume + missing
    sorted_by = button.find_element(By.XPATH, "..")
    assert sorted_by.get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.ENTER)
    assert lines(browser) == by_volume[::-1] + missing
    assert sorted_by.get_attribute("aria-sort") == "descending"
    head(browser, "Case").click()
    assert lines(browser) == [name(n) for n in range(CASES)]
    assert sorted_by.get_attribute("aria-sort") == "none"


def test_the_table_filters_by_kind_code_group_and_words(browser):
    count = browser.find_element(By.ID, "count")
    browser.find_element(By.CSS_SELECTOR, "[data-kind='refused']").click()
    assert lines(browser) == [name(n) for n in REFUSED]
    assert count.text == f"2 of {CASES} cases" and count.get_attribute("role") == "status"
    browser.find_element(By.CSS_SELECTOR, "[data-kind='']").click()
    group = browser.find_element(By.CSS_SELECTOR, f"[data-column='{column(browser, 'site')}']")
    choose(browser, group, SITES[1])
    assert lines(browser) == [name(n) for n in range(1, CASES, 3)]
    browser.find_element(By.ID, "search").send_keys("0007 LEDGER")
    assert lines(browser) == [name(7)]
    choose(browser, group, SITES[0])
    assert lines(browser) == []


def test_numbers_of_the_sheet_are_as_written_and_sort_as_numbers(browser):
    head(browser, "dose").click()
    odd = [name(n) for n in range(CASES) if n % 2]
    assert lines(browser)[: len(odd)] == odd
    group = browser.find_element(By.CSS_SELECTOR, f"[data-column='{column(browser, 'dose')}']")
    choose(browser, group, DOSES[1])
    assert lines(browser) == odd


def test_a_code_of_the_refusals_shows_its_cases_in_the_table(browser):
    browser.find_element(By.ID, "search").send_keys("0001")
    button = browser.find_element(By.CSS_SELECTOR, "[data-show='slices-missing']")
    browser.execute_script("arguments[0].click()", button)
    assert lines(browser) == [name(n) for n in REFUSED]


def test_distributions_have_the_quartiles_of_the_table_and_mark_the_outlier(browser, told):
    choose(browser, browser.find_element(By.ID, "structure"), "organ-1")
    choose(browser, browser.find_element(By.ID, "group"), "sex")
    table = "[...document.querySelectorAll('#numbers tbody tr')]"
    found = browser.execute_script(f"return {table}.map(r => [...r.cells].map(c => c.textContent))")
    known = np.array(list(volumes(told).values())) / 1000
    assert [row[0] for row in found] == ["F", "M"]
    for n, row in enumerate(found):
        own = known[n::2][~np.isnan(known[n::2])]
        assert int(row[1]) == len(own)
        exact = [*np.quantile(own, (0.5, 0.25, 0.75)), own.min(), own.max()]
        assert [float(cell) for cell in row[2:]] == pytest.approx(exact, rel=1e-3)
    assert len(browser.find_elements(By.CSS_SELECTOR, "#plot .point")) == CASES - len(REFUSED)
    (link,) = browser.find_elements(By.CSS_SELECTOR, "#plot a")
    assert link.get_dom_attribute("href") == f"../cases/{name(FAR)}/report.html"
    assert name(FAR) in link.get_attribute("aria-label")


def test_points_lie_at_their_values_on_the_scale(browser, told):
    choose(browser, browser.find_element(By.ID, "group"), "nothing")
    places = browser.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('#plot .point')].map(p =>"
        " [p.textContent.split(':')[0], +p.getAttribute('cx')]))"
    )
    labels = browser.execute_script(
        "return [...document.querySelectorAll('#plot text.dim[text-anchor=middle]')].map(t =>"
        " [+t.textContent, +t.getAttribute('x')])"
    )
    (low, left), *_, (high, right) = labels
    for case, place in places.items():
        value = low + (place - left) / (right - left) * (high - low)
        assert value == pytest.approx(volumes(told)[case] / 1000, abs=1e-3)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_is_fit_for_screen_readers_and_no_wider_than_the_window(browser, size):
    browser.set_window_size(*size)
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.execute_script(f"return {wide}")
    found = Axe().run(browser)["violations"]
    assert [(v["id"], v["impact"]) for v in found if v["impact"] in ("serious", "critical")] == []
    for control in browser.find_elements(By.CSS_SELECTOR, "input, select, button"):
        assert control.accessible_name
