"""The monitor's page over HTTP: what it serves and to whom, what it remembers, and that nobody holds it up."""

import base64
import errno
import http.client
import json
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from browsing import HOSTILE

from asd_jax.errors import InputError
from asd_jax.report.live import history, server
from asd_jax.report.live.history import History
from asd_jax.report.live.page import ALARM_FILES, LivePage

NAME = "2026-11-24T02-41-55Z_id_00"


def make_kept(root):
    folder = root / "kept" / NAME
    folder.mkdir(parents=True)
    (folder / "alarm.json").write_text("{}")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "sound.flac").write_bytes(bytes(range(100)))
    (folder / "other.txt").write_text("secret")
    (root / "kept" / "alarm.json").write_text("secret")
    (root / "alarm.json").write_text("secret")
    return root / "kept"


@pytest.fixture
def kept(tmp_path):
    return make_kept(tmp_path)


@pytest.fixture
def page(kept):
    page = LivePage(0, title="fan", kept=kept)
    yield page
    page.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A page that tests only ask."""
    page = LivePage(0, title="fan", kept=make_kept(tmp_path_factory.mktemp("served")))
    yield page
    page.close()


def ask(page, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=5)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def state(page, **query):
    answer, body = ask(page, "/state.json?" + "&".join(f"{name}={value}" for name, value in query.items()))
    assert answer.status == 200
    return json.loads(body)


def hear(page, count, *, first=0, hop=1.0):
    for index in range(first, first + count):
        seconds = index * hop
        clock = f"2026-11-24T{int(seconds // 3600) % 24:02}:{int(seconds // 60) % 60:02}:{seconds % 60:06.3f}+00:00"
        page.score(clock, seconds, float(index), 5.0, index > 5)


def test_the_page_needs_nothing_else(served):
    answer, html = ask(served, "/")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"http://" not in html and b"https://" not in html and b"style=" not in html and b" onclick" not in html
    for path, kind in (("/live.js", "text/javascript"), ("/charts.js", "text/javascript"), ("/live.css", "text/css")):
        answer, body = ask(served, path)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
        assert b"//cdn" not in body and b"https:" not in body
        assert b"innerHTML" not in body and b"insertAdjacent" not in body and b"eval(" not in body


@pytest.mark.parametrize("path", ["/", "/state.json", "/live.js", f"/alarms/{NAME}/picture.png", "/nothing"])
def test_every_answer_has_its_guards(served, path):
    answer, _ = ask(served, path, Origin="http://example.org")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';") and "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", "10.0.0.1", "", "[::2]"])
def test_another_host_gets_nothing(served, host):
    answer, body = ask(served, "/state.json", Host=host)
    assert answer.status == 403 and b"{" not in body


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"])
def test_this_computer_is_answered(served, host):
    assert ask(served, "/state.json", Host=host)[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_get_only(served, method):
    answer, _ = ask(served, "/state.json", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


def test_what_is_no_http_is_refused_and_not_repeated(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as client:
        client.sendall(b"<script>alert(1)</script> x y z\r\n\r\n")
        said = b""
        while part := client.recv(4096):
            said += part
    assert b"script>" not in said and b" 400 " in said.splitlines()[0]


def test_an_alarm_s_files(page, kept):
    for file, kind in ALARM_FILES.items():
        answer, body = ask(page, f"/alarms/{NAME}/{file}")
        assert answer.status == 200 and answer.headers["Content-Type"] == kind
        assert body == (kept / NAME / file).read_bytes()


def test_a_part_of_the_sound(served):
    path = f"/alarms/{NAME}/sound.flac"
    answer, body = ask(served, path, Range="bytes=90-")
    assert answer.status == 206 and body == bytes(range(90, 100))
    assert answer.headers["Content-Range"] == "bytes 90-99/100"
    assert ask(served, path, Range="bytes=5-7")[1] == bytes([5, 6, 7])
    assert ask(served, path, Range="bytes=100-")[0].status == 416
    assert ask(served, path, Range="bytes=-5")[0].status == 200  # whole: as who does not know ranges


@pytest.mark.parametrize(
    "path",
    [
        f"/alarms/{NAME}/other.txt",
        f"/alarms/{NAME}/../alarm.json",
        "/alarms/../alarm.json",
        "/alarms/%2e%2e/alarm.json",
        "/alarms/./alarm.json",
        "/alarms/.hidden/alarm.json",
        "/alarms//alarm.json",
        f"/alarms/{NAME}%2falarm.json",
        f"/alarms/{NAME}/alarm.json/",
        f"/alarms/{NAME}",
        "/../../etc/passwd",
        "/live.html",
        "/page.py",
    ],
)
def test_no_other_file(served, path):
    answer, body = ask(served, path)
    assert answer.status == 404 and b"secret" not in body


def test_no_link_is_followed(page, kept, tmp_path):
    (kept / "linked").symlink_to(tmp_path)
    (kept / NAME / "alarm.json").unlink()
    (kept / NAME / "alarm.json").symlink_to(tmp_path / "alarm.json")
    assert ask(page, "/alarms/linked/alarm.json")[0].status == 404
    assert ask(page, f"/alarms/{NAME}/alarm.json")[0].status == 404


def test_only_what_is_new_is_sent(page):
    hear(page, 10)
    page.spectrum(np.full((3, 4), -60.0, np.float32))
    page.event({"event": "alarm", "time": "2026-11-24T00:00:09+00:00", "folder": NAME})
    whole = state(page)
    assert [point[2] for point in whole["points"]["new"]] == list(range(10))
    assert whole["points"]["new"][9] == [1795478409.0, 9.0, 9.0, 5.0, True]
    assert base64.b64decode(whole["columns"]["new"]) == bytes([120] * 12) and whole["n_bands"] == 4
    assert whole["files"] == {NAME: list(ALARM_FILES)} and whole["about"]["title"] == "fan"
    hear(page, 2, first=10)
    known = {name: whole[name]["next"] for name in ("points", "columns", "hours", "events")}
    later = state(page, run=whole["about"]["run"], **known)
    assert [point[2] for point in later["points"]["new"]] == [10.0, 11.0]
    assert later["columns"]["new"] == "" and later["events"]["new"] == []
    assert len(state(page, run="another", **known)["points"]["new"]) == 12  # the monitor began anew meanwhile
    assert len(state(page, run=whole["about"]["run"], points="-1")["points"]["new"]) == 12
    assert ask(page, "/state.json?" + "points=1&" * 200)[0].status == 200


def test_hours_by_hand():
    heard = History()
    for seconds, score in ((10.0, 1.0), (20.0, 9.0), (30.0, 2.0), (40.0, float("nan")), (3_610.0, 4.0)):
        heard.score("2026-11-24T00:00:00+00:00", seconds, score, 5.0, None)
    found = heard.since()
    start = 1795478400.0
    assert found["hours"]["new"] == [(start, 10.0, 1.0, 2.0, 9.0, 5.0)]
    assert found["hour"] == (start, 3_610.0, 4.0, 4.0, 4.0, 5.0)
    # The last hour alone is kept at full resolution.
    assert [point[1] for point in found["points"]["new"]] == [10.0, 20.0, 30.0, 40.0, 3_610.0]
    heard.score("2026-11-24T00:00:00+00:00", 3_625.0, 4.0, 5.0, None)
    assert [point[1] for point in heard.since()["points"]["new"]] == [30.0, 40.0, 3_610.0, 3_625.0]


def test_a_clock_set_back_changes_nothing_of_the_hours():
    heard = History()
    heard.score("2026-11-24T12:00:00+00:00", 100.0, 1.0, 5.0, False)
    heard.score("2026-11-24T11:00:01+00:00", 101.0, 3.0, 5.0, False)
    assert heard.since()["hour"][2:5] == (1.0, 2.0, 3.0) and heard.since()["hours"]["new"] == []
    assert len(heard.since()["points"]["new"]) == 2


def test_nothing_grows(monkeypatch):
    monkeypatch.setattr(history, "_MOST_POINTS", 50)
    monkeypatch.setattr(history, "_MOST_COLUMNS", 40)
    heard = History()
    for index in range(1_500):
        heard.score("2026-11-24T00:00:00", index * 1_800.0, 0.0, 5.0, False)
        heard.spectrum(np.zeros((3, 2), np.float32))
        heard.event({"event": "x" * 5_000, "many": list(range(500)), "deep": [[[[[[1]]]]]]})
    for index in range(500):
        heard.score("2026-11-24T00:00:00", 1_500 * 1_800.0 + index / 1_000, 0.0, 5.0, False)
    found = heard.since()
    assert len(found["points"]["new"]) == 50 and len(found["columns"]["new"]) <= 40 * 2
    assert len(found["hours"]["new"]) == 24 * 30 and len(found["events"]["new"]) == 200
    assert len(json.dumps(found["events"]["new"][0])) < 2_000


def test_spectra_are_of_the_last_minute():
    heard = History()
    for second in range(100):
        heard.score("2026-11-24T00:00:00", float(second), 0.0, 5.0, False)
        heard.spectrum(np.full((4, 2), -120.0 + second / 2.0, np.float32))
    found = heard.since()
    assert set(found["columns"]["new"]) == set(range(39, 100)) and found["columns_per_second"] == 4.0
    heard.spectrum(np.array([[np.nan, np.inf], [-np.inf, 500.0]], np.float32))
    assert heard.since(columns=400)["columns"]["new"] == bytes([0, 255, 0, 255])


def test_events_are_whatever_they_are(page):
    page.event(
        {"event": HOSTILE, "score": float("nan"), "count": np.int64(3), "who": object, "name": "\udcff", 5: b"x"}
    )
    event = state(page)["events"]["new"][0]
    assert event["event"] == HOSTILE and event["score"] is None and event["count"] == 3 and event["name"] == "?"


def test_a_taken_port_is_one_line(served):
    with pytest.raises(InputError, match=f"`page={served.port}`: the port is taken by another program; choose another"):
        LivePage(served.port)
    with pytest.raises(InputError, match="`page=70000`: this cannot be a port"):
        LivePage(70_000)


def test_a_port_of_administrators(monkeypatch):
    def refuse(self):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(server.LoopbackServer, "server_bind", refuse)
    with pytest.raises(InputError, match="above 1023"):
        LivePage(80)


def test_closing_frees_the_port():
    page = LivePage(0)
    page.close()
    again = LivePage(page.port)
    again.close()


@pytest.mark.slow
def test_clients_that_neither_send_nor_read_hold_nothing_up(page, monkeypatch):
    monkeypatch.setattr(server._Handler, "timeout", 0.3)
    page.spectrum(np.zeros((4_000, 2_000), np.float32))  # 11 MB of JSON: more than sockets take in
    clients = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(3 * server.MOST_CONNECTIONS)]
    try:
        for client in clients[: server.MOST_CONNECTIONS // 2]:
            client.sendall(b"GET /state.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        start = time.monotonic()
        hear(page, 500)
        assert time.monotonic() - start < 1.0
        n_threads = [t for t in threading.enumerate() if "process_request_thread" in t.name]
        assert len(n_threads) <= server.MOST_CONNECTIONS
        deadline = time.monotonic() + 8.0
        while time.monotonic() < deadline:
            try:
                if ask(page, "/live.css")[0].status == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("the page never answered again")
    finally:
        for client in clients:
            client.close()


def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(page, monkeypatch):
    monkeypatch.setattr(server, "MOST_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", page.port), timeout=5) as client:
        start = time.monotonic()
        with pytest.raises(OSError):  # a broken pipe or a reset, as it comes
            while time.monotonic() - start < 4.0:
                client.sendall(b"G")
                time.sleep(0.1)
    assert time.monotonic() - start < 3.0


def test_it_needs_no_jax():
    script = """import sys, asd_jax.report.live.page, asd_jax.detectors.stream.drift
heavy = {"jax", "flax", "librosa", "scipy", "matplotlib", "jinja2", "soundfile"} & set(sys.modules)
assert not heavy, heavy"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
