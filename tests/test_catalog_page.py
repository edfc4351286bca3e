"""The catalog's table, in a browser: a header sorts, words filter."""

import re
import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

import catalog

DOCS = Path(__file__).resolve().parent.parent / "docs"
CARDS = catalog.read_cards()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """The page from a disk, without the theme."""
    folder = tmp_path_factory.mktemp("page")
    source = (DOCS / "catalog.md").read_text(encoding="utf-8")
    controls = re.search(r"```\{raw\} html\n(.*?)```", source, re.DOTALL)[1]
    script = (DOCS / "_static" / "catalog.js").read_text(encoding="utf-8")
    page = f"<!doctype html><meta charset=utf-8>{controls}{catalog.table(CARDS)}<script>{script}</script>"
    (folder / "page.html").write_text(page, encoding="utf-8")
    options = webdriver.ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.get((folder / "page.html").as_uri())
    yield driver
    driver.quit()


def shown(browser):
    """Names of the rows in sight, from above."""
    rows = browser.find_elements(By.CSS_SELECTOR, "#presets-table tbody tr:not([hidden])")
    return [row.find_element(By.TAG_NAME, "a").text for row in rows]


def test_a_header_sorts_up_and_down_and_rows_without_the_number_stay_last(browser):
    numbers = {card.name: card.metrics["fid"]["value"] for card in CARDS if "fid" in card.metrics}
    header = browser.find_element(By.XPATH, "//th/button[text()='FID']")
    for reverse in (False, True):
        header.click()
        names = shown(browser)
        assert names[: len(numbers)] == sorted(numbers, key=numbers.get, reverse=reverse)
        assert {*names[len(numbers) :]}.isdisjoint(numbers)


def test_words_filter_and_are_counted(browser):
    box = browser.find_element(By.ID, "catalog-filter")
    box.send_keys("digits GAN iw")
    names = shown(browser)
    assert names
    assert all("digits" in name and "iw" in name for name in names)
    counted = browser.find_element(By.ID, "catalog-count").text
    assert counted == f"{len(names)} of {len(CARDS)} presets"
