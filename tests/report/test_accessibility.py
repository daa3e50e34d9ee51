"""Every page by axe-core, at two widths in both colour schemes, and by keyboard alone.

Needs a browser, and the file axe.min.js of the npm package axe-core, which the environment variable ASD_JAX_AXE names.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from browsing import CHROMIUM, DRIVER, HOSTILE, open_browser
from conftest import make
from test_live_browser import FOLDER, clock, hear
from test_scored_page import LONG, read_again, scored

from asd_jax.report import write_report, write_scored_report
from asd_jax.report.live.page import LivePage

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its driver here"),
]
AXE = os.environ.get("ASD_JAX_AXE")
needs_axe = pytest.mark.skipif(not AXE, reason="ASD_JAX_AXE does not name an axe.min.js")
PAGES = ("run", "unlabelled run", "scored", "archive", "live")


@pytest.fixture(scope="module")
def pages(made, tmp_path_factory):
    """The address of each page."""
    folder = tmp_path_factory.mktemp("pages")
    found = {"run": write_report(folder / "run", *made.arguments()).as_uri()}
    found["unlabelled run"] = write_report(folder / "unlabelled", *make(labels=(None,)).arguments()).as_uri()
    dated = [f"10{k}/2026-11-24T10-0{k}-00.wav" for k in range(4)]
    for name, of in (("scored", None), ("archive", {"anomalous": 5, "normal": 994, "no verdict": 1})):
        detectors, recordings = scored(made, [f"1/{HOSTILE}", LONG, "4/gone.wav", *dated])
        path = folder / f"{name}.html"
        write_scored_report(path, recordings, detectors, read_again, run="watch", scorer="mahalanobis", of=of)
        found[name] = path.as_uri()
    live = LivePage(0, title="fan", kept=folder, band_hz=np.linspace(100.0, 7_900.0, 16).tolist())
    hear(live, 0, 60)
    for kind in ("alarm", "clear", "drift", "gap"):
        live.event({"event": kind, "time": clock(60), "score": 9.0, "threshold": 5.0, "folder": FOLDER})
    found["live"] = f"http://localhost:{live.port}/"
    yield found
    live.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def look(browser, *, width, scheme):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},  # colours on their way would be measured
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def violations(browser):
    if not browser.execute_script("return window.axe !== undefined"):
        browser.execute_script(Path(AXE).read_text(encoding="utf-8"))
    # Without preload: the page's own policy lets nothing be fetched.
    script = """const done = arguments[0];
        const words = (rule, node) => `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`;
        axe.run(document, {preload: false, resultTypes: ["violations"]}).then(
            found => done(found.violations.flatMap(rule => rule.nodes.map(node => words(rule, node)))),
            error => done([String(error)]))"""
    return browser.execute_async_script(script)


@needs_axe
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(browser, pages, page):
    browser.get(pages[page])
    browser.execute_script("document.querySelectorAll('details').forEach(part => part.open = true)")
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            look(browser, width=width, scheme=scheme)
            found = violations(browser)
            assert not found, f"{page}, {width} pixels, {scheme}:\n" + "\n".join(found[:8])


@needs_axe
def test_axe_would_find_something(browser, pages):
    browser.get(pages["run"])
    browser.execute_script("document.querySelector('main').append(document.createElement('img'))")
    (found,) = violations(browser)
    assert found.startswith("image-alt: <img>")


def test_every_page_follows_the_colour_scheme(browser, pages):
    for page in PAGES:
        browser.get(pages[page])
        for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")):
            look(browser, width=1280, scheme=scheme)
            assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == paper, page


@pytest.mark.parametrize("page", PAGES)
def test_everything_is_reached_by_tab(browser, pages, page):
    from selenium.webdriver.common.keys import Keys

    browser.get(pages[page])
    look(browser, width=1280, scheme="light")
    wanted = browser.execute_script(
        """const all = [...document.querySelectorAll("a, button, select, audio, summary, [tabindex]")];
        all.forEach((node, place) => node.dataset.place = place); return all.length"""
    )
    reached = set()
    for _ in range(wanted * 4):  # the controls of a sound are several stops
        browser.switch_to.active_element.send_keys(Keys.TAB)
        place, outline, kind = browser.execute_script(
            """const node = document.activeElement;
            return [node.dataset.place, getComputedStyle(node).outlineStyle, node.tagName]"""
        )
        if place is None:
            break
        reached.add(int(place))
        assert outline != "none" or kind == "AUDIO", place  # whose buttons have outlines of their own
    assert reached == set(range(wanted)) and wanted


def test_a_column_is_sorted_by_enter(browser, pages):
    from selenium.webdriver.common.keys import Keys

    browser.get(pages["run"])
    button = browser.find_element("css selector", "button[data-key=score]")
    button.send_keys(Keys.ENTER)
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    scores = browser.execute_script("return [...document.querySelectorAll('#list tbody')].map(of => +of.dataset.score)")
    assert scores == sorted(scores)
