"""The page of a run: what stands on it, in an order to read, and nothing that can do anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlspec.cli.main import main
from mlspec.engine.files import write_json
from tests.telling.left_behind import BAD, NAME, Read, record, write_left

SECTIONS = [
    "Gates", "Metrics", "What changed", "Plots", "Slices", "Training", "Data", "Validation", "Parity", "Plan",
    "Made with",
]  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def page_of(folder: Path, told: dict[str, Any] | None = None) -> Read:
    write_left(folder, told)
    assert main(["report", "-o", "page.html"]) == 0
    return Read((folder / "page.html").read_text("utf-8"))


def text_of(page: Read) -> str:
    return " ".join(words for tag, words in page.words if tag != "style")


def test_every_section_is_there_and_the_verdict_comes_first(here: Path) -> None:
    page = page_of(here)
    assert page.of("h1") == [NAME]
    assert page.of("h2") == SECTIONS
    text = text_of(page)
    assert text.index("Passed") < text.index("0.9123") < text.index("Gates")
    for told in (
        "0.88 to 0.94", "0.88 and 0.94", "too few rows", "(null)", "epoch 2", "1 min 15 s", "412 MiB", "60 %",
        "1 of 2 checks", "warned", "ROC", "Calibration", "Residuals", "Confusion", "Lift of mine", "Loss",
        "Learning rate", "temperature, 1.75", "0.375", "accelerator cpu, threads 2",
        "commit 111111111111 with changes", "4.25",
        "backward", "75 %", "artifacts/adult_income/logs/train/trace.json.gz", "own device ms", "12.25",
    ):  # fmt: skip
        assert told in text, told


def test_a_text_of_the_data_is_a_text_and_nothing_else(here: Path) -> None:
    page = page_of(here)
    assert {"script", "img", "iframe", "object", "link", "form"}.isdisjoint(page.elements)
    assert not [
        name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "xlink:href")
    ]
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href" and value)
    assert text_of(page).count(BAD) > 20
    assert "default-src 'none'" in str(page.attributes)


def test_a_machine_can_read_the_structure_too(here: Path) -> None:
    page = page_of(here)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for _, name, value in page.attributes if name == "aria-labelledby"} <= set(ids)
    assert {value[1:] for _, name, value in page.attributes if name == "href" and value} <= set(ids)
    assert page.elements.count("caption") == page.elements.count("table") > 8
    assert page.elements.count("h1") == 1 and page.elements.count("main") == 1
    assert ("html", "lang", "en") in page.attributes
    pictures = [
        value
        for tag, name, value in page.attributes
        if tag == "svg" and name in ("aria-label", "aria-hidden")
    ]
    assert len(pictures) == page.elements.count("svg") > 8


def test_no_text_that_cannot_be_written_ends_the_page(here: Path) -> None:
    write_left(here)
    text = "nul \x00 bell \x07 lone \ud800 end"
    write_json(here / "artifacts/data-adult/prepare/warnings.json", {"warnings": [{"text": text}]})
    assert main(["report", "-o", "page.html"]) == 0
    page = Read((here / "page.html").read_text("utf-8"))
    assert "nul \ufffd bell \ufffd lone \ufffd end" in text_of(page)


def test_the_same_files_make_the_same_bytes(here: Path) -> None:
    first = page_of(here).text
    assert main(["report", "-o", "again.html"]) == 0
    assert (here / "again.html").read_text("utf-8") == first


def test_a_run_that_a_gate_ended_says_so_at_the_top(here: Path) -> None:
    steps = [*record()["steps"][:-1], record()["steps"][-1] | {"done": "failed"}]
    told = record(
        ended="failed",
        failure={
            "error": "CheckFailed",
            "what": "the gate failed",
            "step": "gate",
            "fix": "train a better model",
        },
        gates=[{"passed": True, "text": "one holds"}, {"passed": False, "text": "auroc is too low"}],
        steps=steps,
    )
    page = page_of(here, told)
    text = text_of(page)
    assert text.index("Gate failed") < text.index("This page is partial: 1 of 2 gates") < text.index("0.9123")
    assert text.index("the gate failed") < text.index("train a better model") < text.index("Gates")
    assert text.index("auroc is too low") < text.index("one holds")
    assert "not reached" in page.of("span")


def test_a_run_that_was_asked_for_some_steps_does_not_say_that_it_passed(here: Path) -> None:
    told = record(steps=record()["steps"][:4], gates=[], metrics={}, intervals={})
    text = text_of(page_of(here, told))
    assert "Done in part" in text and "Passed" not in text
    assert re.search(r"\d steps of the plan were not asked for\. No gate was asked\.", text)


def test_a_failed_step_shows_what_its_check_wrote_and_nothing_of_the_run_before(here: Path) -> None:
    validate = record()["steps"][1] | {"done": "failed"}
    told = record(ended="failed", steps=[record()["steps"][0], validate], gates=[], metrics={}, intervals={})
    check = {
        "severity": "error",
        "passed": False,
        "rows": 1,
        "failing": 1,
        "text": "new fault",
        "examples": [],
    }
    write_json(here / "artifacts/data-adult/logs/validate/report.json", {"passed": False, "checks": [check]})
    page = page_of(here, told)
    assert "new fault" in text_of(page) and "held" not in text_of(page)
    assert page.of("h2") == ["What changed", "Data", "Validation", "Plan", "Made with"]


def test_measures_stand_beside_those_of_the_run_before(here: Path) -> None:
    logs = here / f"artifacts/{NAME}/logs"
    older = record(began="2026-11-25T18:00:00Z", metrics={"main": {"accuracy": 0.90234, "rows": 2}})
    write_json(logs / "run-20261125T180000000001.json", older)
    write_json(logs / "run-20261125T190000000001.json", record(began="2026-11-25T19:00:00Z", metrics={}))
    write_json(logs / "run-20261125T191200000001.json", record())
    text = text_of(page_of(here))
    assert "Compared with the run of 2026-11-25 18:00 UTC." in text
    assert re.search(r"accuracy 0\.9023 0\.9123 \+0\.01 ", text)
    assert re.search(r"rows 2 2 same", text)
    assert f"training.epochs: 2 -> {BAD}" in text[text.index("What is different") :]


def test_the_path_is_told_and_the_page_lies_in_the_logs(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_left(here)
    assert main(["report"]) == 0
    path = capsys.readouterr().out.strip()
    assert path == f"artifacts/{NAME}/logs/report-20261125T191200.html" and (here / path).is_file()
    assert main(["report", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"name": NAME, "ended": "done", "page": path, "bytes": (here / path).stat().st_size}


@pytest.mark.parametrize(
    ("gone", "what", "fix"),
    [
        (f"pipelines/{NAME}/run.json", "has no run to report yet", "mlspec run"),
        ("artifacts/adult_income/train", "is not here: 'artifacts/adult_income/train'", "dvc pull"),
    ],
)
def test_what_is_not_there_is_named_with_its_mend(
    here: Path, capsys: pytest.CaptureFixture[str], gone: str, what: str, fix: str
) -> None:
    write_left(here)
    (here / gone).rename(here / "elsewhere")
    assert main(["report"]) == 3
    told = capsys.readouterr().err
    assert what in told and fix in told


def test_a_page_that_cannot_be_written_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_left(here)
    assert main(["report", "-o", "spec.yaml/page.html"]) == 2
    assert "name another file with -o" in capsys.readouterr().err
