"""The page in Chromium: opens from the disk, fetches nothing, says nothing on the console, runs nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlspec.cli.main import main
from tests.telling.left_behind import BAD, NAME, Read, write_left

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
    # Whatever else a browser would like to know: no name has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """What a browser made of a page."""

    page: Read
    console: tuple[str, ...]
    requests: tuple[str, ...]
    """Addresses that the page asked for; the browser's own wishes are told apart by having no origin."""


def opened(file: Path, folder: Path) -> Opened:
    """Open a page from the disk in a browser of its own."""
    net = folder / "net.json"
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={net}",
         "--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom", file.resolve().as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    console = tuple(line for line in done.stderr.splitlines() if ":CONSOLE" in line)
    events = (event.get("params") or {} for event in json.loads(net.read_bytes())["events"])
    asked = {event["url"] for event in events if event.get("initiator", "not an origin") != "not an origin"}
    return Opened(Read(done.stdout), console, tuple(sorted(asked)))


def test_the_page_opens_and_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_left(tmp_path)
    assert main(["report", "-o", "page.html"]) == 0
    found = opened(tmp_path / "page.html", tmp_path)
    assert found.console == () and found.requests == ()
    assert found.page.of("h1") == [NAME] and len(found.page.of("h2")) == 11
    assert found.page.of("title")[0] == f"{NAME}: a run of 2026-11-25 19:12 UTC"
    assert {"script", "img"}.isdisjoint(found.page.elements)
    assert BAD in found.page.of("th")


def test_a_page_that_does_something_would_be_seen(tmp_path: Path) -> None:
    """Hold the test above: its eyes see a script, a request and a line on the console."""
    page = tmp_path / "page.html"
    page.write_text(
        "<!DOCTYPE html><html><head><title>a</title></head><body><p>b</p><script>document.title='owned';"
        "console.error('seen');fetch('http://127.0.0.1:9/c').catch(function(){})</script></body></html>"
    )
    found = opened(page, tmp_path)
    assert found.page.of("title") == ["owned"] and "script" in found.page.elements
    assert any("seen" in line for line in found.console)
    assert found.requests == ("http://127.0.0.1:9/c",)
