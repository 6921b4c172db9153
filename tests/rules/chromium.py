"""Debian's Chromium without a window, driven by Selenium; it draws WebGL in software."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)
LOGS = {"browser": "ALL", "performance": "ALL"}
# A machine with much to do draws slowly; no test waits for this long where all is well.
PATIENCE = 300


@contextmanager
def chromium(profile: Path, size: tuple[int, int]) -> Iterator[webdriver.Chrome]:
    """A browser with a new profile. size: of its window."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", LOGS)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        driver.quit()


def wait(driver: webdriver.Chrome, script: str) -> None:
    """Wait until a script returns something true."""
    WebDriverWait(driver, PATIENCE).until(lambda d: d.execute_script(f"return {script}"))


def errors(driver: webdriver.Chrome) -> list[str]:
    """What the browser's console has of warnings and errors since it was asked last."""
    return [
        entry["message"]
        for entry in driver.get_log("browser")
        if entry["level"] in ("SEVERE", "WARNING")
    ]


def requests(driver: webdriver.Chrome, page: str) -> list[str]:
    """The addresses that a page asked for, itself and data in it aside."""
    asked = []
    for entry in driver.get_log("performance"):
        said = json.loads(entry["message"])["message"]
        if said["method"] == "Network.requestWillBeSent" and said["params"]["documentURL"] == page:
            asked.append(said["params"]["request"]["url"])
    return [url for url in asked if url != page and not url.startswith("data:")]
