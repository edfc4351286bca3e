"""The page, in a real browser."""

import json
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise

import httpx
import pytest
import tensorflow as tf
from PIL import Image
from running import running
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tfgen import serving

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--window-size=1280,1400",
)


def spec(shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def write(folder):
    """A conditional model whose pictures say what they were made of."""

    def flat(values):
        return {"images": tf.tile(tf.reshape(values, (-1, 1, 1, 1)), (1, 2, 3, 1))}

    def generate(seeds, labels):
        return flat(tf.cast(seeds, tf.float32) / 255 + tf.cast(labels, tf.float32) / 10)

    def decode(latents, labels):
        return flat(tf.sigmoid(latents[:, 0]) + 0 * tf.cast(labels, tf.float32))

    def of_bytes(image_bytes):
        read = lambda b: tf.image.decode_image(b, 1, tf.float32, expand_animations=False)[0, 0, 0]  # noqa: E731
        return tf.map_fn(read, image_bytes, fn_output_signature=tf.float32)

    def reconstruct_bytes(image_bytes, seeds):
        return flat(of_bytes(image_bytes) + 0 * tf.cast(seeds, tf.float32))

    def classify_bytes(image_bytes):
        share = of_bytes(image_bytes)
        return {
            "probabilities": tf.stack([share, 1 - share], 1),
            "labels": tf.cast(share < 0.5, tf.int32),
        }

    seeds = labels = spec((None,), tf.int32)
    read = spec((None,), tf.string)
    module, signatures = tf.Module(), {}
    for function, inputs in (
        (generate, (seeds, labels)), (decode, (spec((None, 5)), labels)),
        (reconstruct_bytes, (read, seeds)), (classify_bytes, (read,)),
    ):  # fmt: skip
        signatures[function.__name__] = tf.function(function, input_signature=inputs)
    tf.saved_model.save(module, str(folder), signatures)


@pytest.fixture(scope="module")
def address(toys_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "flat"
    write(folder / "1")
    places = {"flat": folder, "toy": toys_folder / "toy", "plain": toys_folder / "toy" / "1"}
    sources = [serving.Source(name, place) for name, place in places.items()]
    with running(*sources, token="secret") as server:
        yield server.address


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(browser, address):
    """The page with its token given."""
    browser.get(address)
    token = until(browser, lambda: browser.find_element(By.ID, "token"))
    until(browser, token.is_displayed)
    token.send_keys("secret", Keys.TAB)
    until(browser, lambda: len(canvases(browser, "grid")) == 16)
    return browser


def until(browser, found):
    return WebDriverWait(browser, 30).until(lambda _: found())


def canvases(browser, place):
    return browser.find_elements(By.CSS_SELECTOR, f"#{place} canvas")


def grays(browser, place):
    """First pixels of the canvases; none while the page replaces them."""
    script = (
        "return [...document.querySelectorAll(arguments[0])].map("
        "c => c.getContext('2d').getImageData(0, 0, 1, 1).data[0])"
    )
    return browser.execute_script(script, f"#{place} canvas")


def test_samples_of_seeds_and_classes(page):
    assert page.title == "tfgen serve"
    assert grays(page, "grid") == list(range(16))
    assert canvases(page, "grid")[3].get_attribute("aria-label") == "Sample of seed 3"
    page.find_element(By.ID, "next").click()
    until(page, lambda: grays(page, "grid") == list(range(16, 32)))
    label = page.find_element(By.ID, "class")
    label.send_keys(Keys.CONTROL, "a")
    label.send_keys("5")
    until(page, lambda: grays(page, "grid")[0] == round(16 + 255 / 2))


def test_walk(page):
    """The grays differ from A to B; a dragged handle and an arrow key move the ends live."""
    before = grays(page, "strip")
    assert len(before) == 9
    assert len(set(before)) > 4
    assert grays(page, "live")[0] == before[4]
    code = page.find_element(By.ID, "a")
    ActionChains(page).drag_and_drop_by_offset(code, 60, 40).perform()
    until(page, lambda: grays(page, "strip")[0] != before[0])
    dragged = grays(page, "strip")
    assert dragged[-1] == before[-1]
    code.send_keys(*[Keys.ARROW_LEFT] * 5)
    until(page, lambda: grays(page, "strip")[0] != dragged[0])
    slider = page.find_element(By.ID, "position")
    slider.send_keys(Keys.END)
    until(page, lambda: grays(page, "live")[0] == before[-1])


def test_a_picture_is_reconstructed_and_classified(page, tmp_path):
    Image.new("L", (7, 5), 51).save(tmp_path / "p.png")
    page.find_element(By.ID, "file").send_keys(str(tmp_path / "p.png"))
    until(page, lambda: grays(page, "results") == [51])
    meters = page.find_elements(By.CSS_SELECTOR, "#results meter")
    assert [float(m.get_attribute("value")) for m in meters] == pytest.approx([0.2, 0.8])
    captions = [e.text for e in page.find_elements(By.CSS_SELECTOR, "#results figcaption")]
    assert captions == [
        "p.png",
        "classify: labels",
        "classify: probabilities",
        "reconstruct: images",
    ]


def test_the_lines_run_elsewhere(page):
    page.find_element(By.ID, "seed").send_keys(Keys.CONTROL, "a")
    page.find_element(By.ID, "seed").send_keys("7")
    until(page, lambda: "[7,8," in page.find_element(By.ID, "snippet").text)
    words = shlex.split(page.find_element(By.ID, "snippet").text)
    assert words[:3] == ["curl", "-H", "Authorization: Bearer $TFGEN_TOKEN"]
    body = json.loads(words[words.index("-d") + 1])
    headers = {"authorization": "Bearer secret"}
    reply = httpx.post(words[3], json=body, headers=headers, timeout=30).json()["outputs"]
    assert reply[0][0][0][0] == pytest.approx(7 / 255 + 0.5)
    page.find_element(By.ID, "show-python").click()
    code = "token = 'secret'\n" + page.find_element(By.ID, "snippet").text
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[[[[")


def test_a_broken_rule_is_told_and_other_models_show_their_signatures(page):
    page.find_element(By.ID, "seed").send_keys(Keys.CONTROL, "a")
    page.find_element(By.ID, "seed").send_keys("2147483640")
    alert = page.find_element(By.ID, "alert")
    until(page, lambda: alert.is_displayed() and "int32" in alert.text)
    Select(page.find_element(By.ID, "model")).select_by_visible_text("toy")
    until(page, lambda: not page.find_element(By.ID, "samples").is_displayed())
    until(page, lambda: not alert.is_displayed())
    rows = page.find_elements(By.CSS_SELECTOR, "#signatures tr")
    assert any("a float (-1, 2); b int32 (-1)" in r.get_attribute("textContent") for r in rows)
    Select(page.find_element(By.ID, "model")).select_by_visible_text("plain")
    page.find_element(By.ID, "show-curl").click()
    body = json.dumps({"signature_name": "serving_default", "inputs": {"x": [[1, 1]]}})
    snippet = page.find_element(By.ID, "snippet")
    until(page, lambda: snippet.text.endswith(f" -d '{body.replace(' ', '')}'"))
    assert page.find_element(By.ID, "signatures").is_displayed()


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(page, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    Select(page.find_element(By.ID, "model")).select_by_visible_text("flat")
    until(page, lambda: page.find_element(By.ID, "samples").is_displayed())
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_what_can_be_used_has_a_name_and_headings_descend(page):
    unnamed = page.execute_script(
        "return [...document.querySelectorAll('input, select, button')].filter("
        "e => !e.labels?.length && !e.getAttribute('aria-label') && !e.textContent.trim()).length"
    )
    assert unnamed == 0
    levels = [int(h.tag_name[1]) for h in page.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


def test_nothing_comes_from_elsewhere_and_nothing_failed(page, address):
    urls = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert urls
    assert all(url.startswith((address, "blob:", "data:")) for url in urls)
    entries = [e["message"] for e in page.get_log("browser") if e["level"] == "SEVERE"]
    assert [e for e in entries if "401" not in e and "400" not in e] == []
