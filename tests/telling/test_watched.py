"""The page of what a deployment saw: whole, escaped, and the same for the same report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlspec.telling.watched import SHOWN, watched
from tests.telling.left_behind import BAD, Read
from tests.telling.test_in_a_browser import CHROMIUM, opened

COLUMN = {"part": "inputs", "what": "values", "test": "kolmogorov_smirnov", "p": 0.5, "rows": 700}


def window(place: int, **more: Any) -> dict[str, Any]:
    told = {"since": f"2026-11-{place % 28 + 1:02d}T00:00:00Z", "until": "later", "rows": 10 * place + 1}
    return {**told, "verdict": "stable", "columns": [], **more}


def report(**more: Any) -> dict[str, Any]:
    columns = [
        {**COLUMN, "column": "age", "verdict": "stable", "effect": 0.01, "adjusted_p": 0.9},
        {**COLUMN, "column": BAD, "verdict": "drift", "effect": 0.4, "adjusted_p": 1e-9},
        {"column": "town", "part": "inputs", "verdict": "not_observed", "rows": 0},
        {
            **COLUMN,
            "column": "label",
            "part": "answers",
            "verdict": "too_few_rows",
            "effect": 0.2,
            "adjusted_p": 0.2,
        },
    ]
    whole = {
        "drift": True, "rows": 700, "reference_rows": 9000, "false_alarms": 0.05, "smallest_effect": 0.1,
        "columns": columns, "windows": 3, "since": "2026-11-01T00:00:00Z", "until": "2026-11-03T00:00:00Z",
        "dropped": 0, "lost": 0, "skipped": [],
        "by_window": [window(0), window(1, verdict="drift", columns=["age", BAD]), window(2)],
    }  # fmt: skip
    return {**whole, **more}


def read(**more: Any) -> Read:
    return Read(watched("taxi, online", report(**more)).decode())


def test_what_changed_stands_first_and_every_window_is_listed_latest_first() -> None:
    page = read()
    rows = page.of("th")
    assert rows.index(BAD) < rows.index("age") < rows.index("town")
    assert page.of("h2") == ["Columns", "Answers", "Windows"]
    days = [word for word in rows if word.startswith("2026-11-")]
    assert days == [f"2026-11-0{day}T00:00:00Z" for day in (3, 2, 1)]
    assert any("1 of 4 columns and answers changed" in word for word in page.of("p"))
    assert f"age, {BAD}" in page.of("td")


def test_rows_that_are_missing_and_files_that_were_skipped_are_told() -> None:
    page = read(dropped=1_200, lost=3, skipped=[f"{BAD} is no profile"])
    assert page.of("h2")[-1] == "Not in here"
    told = " ".join(page.of("li"))
    assert "1,200 rows came too fast" in told and "About 3 rows" in told and BAD in told


def test_windows_with_too_few_rows_are_the_word_of_the_page_where_nothing_changed() -> None:
    quiet = [{"since": f"day {day}", "until": "later", "rows": day, "up": day > 1} for day in range(3)]
    columns = [{**COLUMN, "column": "age", "verdict": "stable", "effect": 0.0, "adjusted_p": 1.0}]
    page = read(columns=columns, quiet=quiet)
    assert page.of("strong") == ["Missing traffic"] and "Missing traffic" in page.of("h2")
    assert [word for word in page.of("td") if word in ("up", "not there")] == ["up", "not there", "not there"]


def test_a_segment_that_changed_is_the_word_of_the_page_where_the_whole_did_not() -> None:
    stable = {**COLUMN, "column": "age", "verdict": "stable", "effect": 0.0, "adjusted_p": 1.0}
    moved = {**stable, "verdict": "drift", "effect": 0.4}
    segments = [
        {"segment": "town = Zug", "verdict": "stable", "rows": 10, "reference_rows": 90, "columns": [stable]},
        {"segment": f"town = {BAD}", "verdict": "drift", "rows": 7, "reference_rows": 60, "columns": [moved]},
    ]
    page = read(columns=[stable], segments=segments)
    assert page.of("strong") == ["Drift"] and "Segments" in page.of("h2")
    assert any("1 of 2 segments changed" in word for word in page.of("p"))
    names = [word for word in page.of("th") if word.startswith("town = ")]
    assert names == [f"town = {BAD}", "town = Zug"]


def test_very_many_windows_are_not_all_listed() -> None:
    page = read(by_window=[window(place) for place in range(SHOWN + 5)])
    assert any("5 earlier windows" in word for word in page.of("p"))


@pytest.mark.parametrize("verdict", ["stable", "too_few_rows"])
def test_the_word_of_the_page_is_the_worst_that_was_found(verdict: str) -> None:
    columns = [{**COLUMN, "column": "age", "verdict": verdict, "effect": 0.0, "adjusted_p": None}]
    word = {"stable": "No change", "too_few_rows": "Too few rows to say"}[verdict]
    assert word in read(columns=columns, by_window=[window(0)]).of("strong")


def test_the_same_report_is_the_same_page_and_needs_nothing_else() -> None:
    assert watched("a", report()) == watched("a", report())
    page = read()
    assert {"script", "img", "link"}.isdisjoint(page.elements)
    assert not [value for _, name, value in page.attributes if name in ("src", "onclick")]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_a_browser_shows_it_and_fetches_nothing(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(watched("taxi, online", report()))
    found = opened(file, tmp_path)
    assert found.console == () and found.requests == ()
    assert found.page.of("h1") == ["taxi, online"] and BAD in found.page.of("th")
