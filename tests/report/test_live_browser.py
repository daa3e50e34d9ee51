"""The monitor's page in a real browser: Debian's chromium with its driver; skips where there is none."""

import time

import numpy as np
import pytest
import soundfile
from browsing import CHROMIUM, DRIVER, HOSTILE, open_browser
from PIL import Image

from asd_jax.report.live.page import LivePage

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its driver here"),
]
FOLDER = "2026-11-24T02-41-55Z_id_00"


def clock(seconds):
    return f"2026-11-24T{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{seconds % 60:06.3f}+00:00"


def hear(page, first, count):
    rng = np.random.default_rng(first)
    for seconds in range(first, first + count):
        page.score(clock(seconds), float(seconds), 3.0 + seconds % 7 / 10, 5.0, False)
        page.spectrum(rng.normal(-60.0, 5.0, (8, 16)).astype(np.float32))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    (kept / FOLDER).mkdir()
    Image.new("RGB", (300, 100), "teal").save(kept / FOLDER / "picture.png")
    soundfile.write(kept / FOLDER / "sound.flac", 0.1 * np.sin(np.arange(16_000) / 5), 16_000)
    page = LivePage(0, title=HOSTILE, kept=kept, band_hz=np.linspace(100.0, 7_900.0, 16).tolist())
    hear(page, 0, 4_000)
    page.event({"event": HOSTILE, "time": HOSTILE, "message": HOSTILE})
    page.event({"event": "gap", HOSTILE: HOSTILE, "time": clock(3_000), "source": {HOSTILE: [HOSTILE]}})
    yield page
    page.close()


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        driver.get(f"http://localhost:{page.port}/")
        yield driver


def read(browser, element):
    return browser.execute_script("return document.getElementById(arguments[0]).textContent", element)


def until(condition, seconds=8.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found


def drawn(browser, element):
    """Number of colours on a canvas."""
    script = """const canvas = document.getElementById(arguments[0]);
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(new Uint32Array(data.buffer)).size"""
    return browser.execute_script(script, element)


def test_it_says_what_it_hears(browser):
    until(lambda: read(browser, "verdict") == "Normal")
    assert "score 3" in read(browser, "detail") and "threshold 5" in read(browser, "detail")
    assert "0 of 3601 windows above" in read(browser, "hour-read")
    assert all(until(lambda chart=chart: drawn(browser, chart) > 5) for chart in ("hour", "days", "spectrum"))
    label = browser.execute_script("return document.getElementById('hour').getAttribute('aria-label')")
    assert "latest score" not in label and "latest 3" in label and "threshold 5" in label


def test_hostile_texts_stay_text(browser):
    until(lambda: browser.execute_script("return document.querySelectorAll('#events li').length") == 2)
    assert read(browser, "title") == HOSTILE
    assert HOSTILE in browser.execute_script("return document.getElementById('events').textContent")
    assert browser.execute_script("return document.querySelectorAll('img').length") == 0
    assert browser.title != "owned"


def test_keys_read_the_chart(browser):
    press = """const chart = document.getElementById("hour"); chart.focus();
        chart.dispatchEvent(new KeyboardEvent("keydown", {key: arguments[0], bubbles: true, cancelable: true}));
        return document.getElementById("hour-read").textContent"""
    newest, before, oldest = (browser.execute_script(press, key) for key in ("End", "ArrowLeft", "Home"))
    assert "score 3" in newest and len({newest, before, oldest}) == 3
    assert "windows" in browser.execute_script(press, "Escape")


def test_an_alarm_comes_with_picture_and_sound(browser, page):
    page.event({"event": "alarm", "time": clock(4_000), "score": 9.0, "threshold": 5.0, "folder": FOLDER})
    until(lambda: read(browser, "verdict").startswith("Alarm since"))
    assert browser.execute_script("return document.getElementById('verdict').getAttribute('role')") == "alert"
    assert "alarm" in read(browser, "news")
    picture = "const i = document.querySelector('#events img'); return i && i.complete ? i.naturalWidth : 0"
    assert until(lambda: browser.execute_script(picture)) == 300
    play = """const done = arguments[0], audio = document.querySelector("audio"); audio.muted = true;
        audio.play().then(() => done([audio.duration, audio.paused]), error => done(String(error)))"""
    browser.find_element("tag name", "h1").click()  # a page may make no sound before its reader has touched it
    duration, paused = browser.execute_async_script(play)
    assert duration == pytest.approx(1.0, abs=0.01) and paused is False
    page.event({"event": "clear", "time": clock(4_001)})
    hear(page, 4_001, 3)
    until(lambda: read(browser, "verdict") == "Normal")
    rows = """const choice = document.getElementById("choice"); choice.value = arguments[0];
        choice.dispatchEvent(new Event("change"));
        return [...document.querySelectorAll("#events li")].filter(row => row.offsetHeight > 0).length"""
    assert browser.execute_script(rows, "alarm") == 1 and browser.execute_script(rows, "") == 4


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out(browser, width, scheme):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    wide, window = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert window == width and wide <= window
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]


def test_no_request_leaves_and_the_console_is_quiet(browser, page):
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert len(asked) > 3 and all(url.startswith(f"http://localhost:{page.port}/") for url in asked)
    refused = browser.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.2:1/').then(() => done(''), error => done(String(error)))"
    )
    assert "TypeError" in refused
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert all("127.0.0.2:1" in message and "Content Security Policy" in message for message in said), said


def test_it_says_when_the_monitor_is_gone_and_begins_anew_with_it(browser, page):
    page.close()
    until(lambda: "has not answered since" in read(browser, "lost"), seconds=12.0)
    assert read(browser, "verdict") == "No answer"
    again = LivePage(page.port, title="again")
    try:
        until(lambda: read(browser, "title") == "again")
        assert read(browser, "verdict") == "Waiting for sound" and read(browser, "events") == "Nothing yet."
    finally:
        again.close()
