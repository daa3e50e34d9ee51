"""The report in a real browser: Debian's chromium with its driver; skips where there is none."""

import pytest
from browsing import CHROMIUM, DRIVER, HOSTILE, open_browser

from asd_jax.report import write_report

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its driver here"),
]


@pytest.fixture(scope="module")
def browser(made, tmp_path_factory):
    path = write_report(tmp_path_factory.mktemp("run"), *made.arguments())
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        driver.get(path.as_uri())
        yield driver


def column(browser, key):
    script = "return [...document.querySelectorAll('#list tbody')].map(row => row.dataset[arguments[0]])"
    return browser.execute_script(script, key)


def click(browser, key):
    browser.execute_script("document.querySelector(`button[data-key=${arguments[0]}]`).click()", key)


def test_a_hostile_file_name_stays_text(browser):
    names = browser.execute_script("return [...document.querySelectorAll('#list .file')].map(cell => cell.textContent)")
    assert f"0/{HOSTILE}" in names
    assert browser.title == "demo on fan"
    assert browser.execute_script("return document.querySelectorAll('img[src=x]').length") == 0


def test_sorting(browser):
    click(browser, "score")
    scores = [float(score) for score in column(browser, "score")]
    assert scores == sorted(scores) and len(set(scores)) > 5
    click(browser, "score")
    assert [float(score) for score in column(browser, "score")] == scores[::-1]
    click(browser, "truth")
    assert column(browser, "truth") == sorted(column(browser, "truth"))
    assert column(browser, "truth")[0] != column(browser, "truth")[-1]
    click(browser, "number")
    assert column(browser, "number") == [str(k) for k in range(1, 13)]


def test_filter(browser):
    choose = """const filter = document.getElementById("filter"); filter.value = arguments[0];
        filter.dispatchEvent(new Event("change"));
        return [...document.querySelectorAll("#list tbody")].filter(row => row.offsetHeight > 0)
            .map(row => row.dataset.outcome)"""
    everything = browser.execute_script(choose, "")
    assert len(everything) == 12
    assert browser.execute_script(choose, "missed") == ["missed"] * everything.count("missed") != []
    browser.execute_script(choose, "")


def test_sound_plays(browser):
    play = """const done = arguments[0], audio = document.querySelector("audio"); audio.muted = true;
        audio.play().then(() => done([audio.readyState, audio.duration, audio.error, audio.paused]),
            error => done(String(error)))"""
    browser.find_element("tag name", "h1").click()  # a page may make no sound before its reader has touched it
    ready, duration, error, paused = browser.execute_async_script(play)
    assert ready >= 2 and duration == pytest.approx(0.5, abs=0.01) and error is None and paused is False


@pytest.mark.parametrize("width", [1280, 1000, 800, 400])
def test_nothing_sticks_out(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_script("document.querySelectorAll('details').forEach(part => part.open = true)")
    page, window = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert window == width and page <= window
    broken = "return [...document.images].filter(i => i.loading !== 'lazy' && i.naturalWidth === 0).length"
    assert browser.execute_script(broken) == 0


def test_the_console_is_quiet(browser):
    assert browser.get_log("browser") == []
