"""The page to play on, in a browser: its images are the model's, and its controls move the code."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

import play
import zoo

DOCS = Path(__file__).resolve().parent.parent / "docs"
NAMES = ("cgan_digits", "infogan_digits", "vae_digits")
DECODE = "const done = arguments[3]; play.decode(...arguments).then(x => done(Array.from(x)));"
READY = "const done = arguments[0]; play.ready.then(() => done(null), e => done(e.message));"
SETTLED = """
const done = arguments[0], [code, label] = play.code();
play.decode(document.getElementById("play-model").value, code, [label]).then(x => done(Array.from(x)));
"""
PIXELS = """
const canvas = document.getElementById("play-image");
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
return Array.from(data).filter((_, i) => i % 4 === 0);
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and JavaScript as such on every system."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A folder with the page, on loopback."""
    folder = tmp_path_factory.mktemp("site")
    play.assemble(NAMES, folder / "play")
    shutil.copytree(DOCS / "_static", folder / "_static")
    page = (DOCS / "play" / "page.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(f"<!doctype html><title>Play</title>{page}")
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(address):
    options = webdriver.ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    driver.set_script_timeout(60)
    driver.get(address)
    assert driver.execute_async_script(READY) is None
    yield driver
    driver.quit()


@pytest.mark.parametrize("name", NAMES)
def test_images_are_the_models(browser, name):
    model = zoo.load(name)
    latents, labels = np.asarray(model.prior(3, 5)), [0, 3, 7]
    shown = browser.execute_async_script(DECODE, name, latents.ravel().tolist(), labels)
    given = [latents, np.array(labels, np.int32)] if model.conditional else [latents]
    expected = np.asarray(model.decode(*given))
    np.testing.assert_allclose(np.reshape(shown, expected.shape), expected, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_canvas_shows_the_code_of_the_controls(browser, name):
    model = zoo.load(name)
    Select(browser.find_element(By.ID, "play-model")).select_by_visible_text(name)
    browser.find_element(By.ID, "play-next").click()
    for button in browser.find_elements(By.CSS_SELECTOR, "#play-classes button")[4:5]:
        button.click()
    slider = browser.find_elements(By.CSS_SELECTOR, "#play-sliders input")[1]
    browser.execute_script(
        "arguments[0].value = 1.5; arguments[0].dispatchEvent(new Event('input'))", slider
    )
    code, label = browser.execute_script("return play.code()")
    assert code[int(slider.get_attribute("data-dimension"))] == 1.5
    assert label == (4 if model.conditional or model.num_categories else 0)
    given = [np.array([code], np.float32)] + ([np.array([4], np.int32)] * model.conditional)
    browser.execute_async_script(SETTLED)  # what was asked before has been drawn by then
    expected = np.asarray(model.decode(*given)).ravel()
    np.testing.assert_allclose(browser.execute_script(PIXELS), 255 * expected, atol=1)


def test_a_missing_runtime_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(play, "RUNTIME", tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="npm ci"):
        play.assemble(NAMES, tmp_path / "play")
