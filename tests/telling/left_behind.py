"""A workspace as a run leaves it, written by hand, and a reader of the page made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from mlspec.engine.files import write_json
from tests.spec.full_spec import write_full

NAME, DATA = "adult_income", "data-adult"
BAD = "<script>document.title='owned'</script>\"'><img src=http://127.0.0.1:9/ onerror=alert(1)>"
"""A text that would do something if it ever became markup."""


def _step(name: str, pipeline: str = NAME, **more: Any) -> dict[str, Any]:
    return {
        "step": name, "pipeline": pipeline, "done": "ran", "seconds": 1.5, "reasons": [],
        "output": f"artifacts/{pipeline}/{name}",
    } | more  # fmt: skip


def record(**more: Any) -> dict[str, Any]:
    """Return a run's record in which everything is there."""
    return {
        "name": NAME, "spec": "spec.yaml", "overrides": [f"data.x={BAD}"], "began": "2026-11-25T19:12:00Z",
        "seconds": 75.0, "ended": "done",
        "steps": [
            _step("ingest", DATA, done="reused"), _step("validate", DATA), _step("prepare", DATA),
            _step("train", reasons=[f"training.epochs: 2 -> {BAD}"], peak_mib=412,
                  hardware={"accelerator": "cpu", "threads": 2}),
            _step("export-main"), _step("evaluate-main"), _step("gate"),
        ],
        "metrics": {"main": {"accuracy": 0.91234, "auroc": 0.5, "rows": 2}},
        "intervals": {"main": {"confidence": 0.95, "metrics": {"accuracy": [0.88, 0.94], "auroc": None}}},
        "gates": [{"passed": True, "text": f"auroc by {BAD}", "metric": "auroc", "export": "main"}],
        "git": {"revision": "1" * 40, "changed": [BAD], "dirty": True},
        "versions": {"mlspec": "0.1.0", BAD: BAD}, "machine": {"system": BAD, "cpus": 2, "memory_mib": 8000},
        "said": [BAD],
    } | more  # fmt: skip


def write_left(folder: Path, told: dict[str, Any] | None = None) -> Path:
    """Write a spec, its record and the files of every step; every text that data can hold is hostile."""
    write_full(folder)
    write_json(folder / "pipelines" / NAME / "run.json", told or record())
    data, model = folder / "artifacts" / DATA, folder / "artifacts" / NAME
    reject = {"column": BAD, "reason": BAD, "rows": 1, "examples": [BAD]}
    curve = {"class": BAD, "threshold": None}
    files = {
        data / "ingest/manifest.json": {
            "rows": 10, "rejected": 1, "columns": {BAD: "number", "job": "string"},
        },
        data / "ingest/rejects.json": {"rows": 1, "reasons": [reject]},
        data / "ingest/statistics.json": {"rows": 10, "columns": {
            BAD: {"nulls": 3, "distinct": 7, "min": 0.0, "max": 9.5, "quantiles": {"0.5": 4.25}},
            "job": {"nulls": 0, "distinct": 2, "top": [[BAD, 6], ["clerk", 4]]},
        }},
        data / "validate/report.json": {"passed": True, "checks": [
            {"id": "a", "severity": "warn", "passed": False, "rows": 10, "failing": 4,
             "text": f"4 rows: {BAD}", "examples": [{BAD: BAD}]},
            {"id": "b", "severity": "error", "passed": True, "rows": 10, "failing": 0, "text": f"held {BAD}",
             "examples": []},
        ]},
        data / "prepare/ledger.json": {
            "read": 10, "rejected": {"rows": 1, "reasons": []}, "train": 6, "val": 1, "test": 2,
        },
        data / "prepare/features.json": {"inputs": [{"name": BAD, "kind": "number"}]},
        data / "prepare/target.json": {"column": BAD + "2", "kind": "binary"},
        data / "prepare/warnings.json": {"warnings": [{"kind": "id", "column": BAD, "text": BAD}]},
        data / "prepare/reference.json": {"rows": 6, "columns": {
            BAD: {"kind": "number", "quantiles": [0.0, 1.0, 1.5, 9.5], "nulls": 0},
            "job": {"kind": "category", "counts": {BAD: 4, "clerk": 2}, "other": 0, "nulls": 0},
        }},
        model / "train/model.json": {
            "family": "torch", "best_epoch": 2, "threshold": 0.4,
            "calibration": {
                "options": {"kind": "temperature"}, "found": {"temperature": 1.75}, "rows": 1200,
                "before": {"log_loss": 0.625, "brier": 0.25}, "after": {"log_loss": 0.375, "brier": 0.125},
            },
        },
        model / "train/history.json": {"epochs": [
            {"epoch": 1, "lr": 0.1, "train_loss": 0.7, "val_loss": 0.8, f"val_{BAD}": 1.0},
            {"epoch": 2, "lr": 0.2, "train_loss": 0.5, "val_loss": 0.6, f"val_{BAD}": 2.0},
        ]},
        model / "logs/train/profile.json": {
            "seconds": 8.0,
            "parts": [
                {"part": "backward", "seconds": 6.0, "share": 0.75, "times": 300},
                {"part": "reading rows", "seconds": 2.0, "share": 0.25, "times": 20},
            ],
            "operators": [{"operator": BAD, "calls": 96, "cpu_ms": 12.25, "device_ms": 3.5}],
        },
        model / "export-main/parity.json": {
            "passed": True, "rows": 137, "hostile_rows": 24, "largest": 1e-7, "atol": 1e-5, "rtol": 1e-5,
            "labels_compared": 100,
        },
        model / "evaluate-main/slices.json": {"floor": 30, "slices": {BAD: [
            {"value": BAD, "rows": 40, "metrics": {"accuracy": 0.25},
             "intervals": {"accuracy": [0.125, 0.5]}},
            {"value": None, "rows": 3, "verdict": "too few rows"},
        ]}},
        model / "evaluate-main/confusion.json": [
            {"actual": actual, "predicted": predicted, "weight": weight}
            for actual, predicted, weight in (
                (BAD, BAD, 7.0), (BAD, "no", 1.0), ("no", BAD, 2.0), ("no", "no", 3.5),
            )
        ],
        model / "evaluate-main/plots/roc.json": [
            curve | {"false_positive_rate": 0.0, "true_positive_rate": 0.0},
            curve | {"false_positive_rate": 1.0, "true_positive_rate": 1.0},
        ],
        model / "evaluate-main/plots/calibration.json": [
            {"class": BAD, "rows": 4, "said": 0.2, "seen": 0.25, "seen_low": 0.1, "seen_high": 0.5},
            {"class": BAD, "rows": 4, "said": 0.8, "seen": 0.75, "seen_low": 0.5, "seen_high": 0.9},
        ],
        model / "evaluate-main/plots/residuals.json": [
            {"actual": 1.0, "predicted": 1.5, "residual": -0.5},
            {"actual": 2.0, "predicted": 1.0, "residual": 1.0},
        ],
        model / "evaluate-main/plots/lift_of_mine.json": [{BAD: 1.0, "gain": 2.0}, {BAD: 2.0, "gain": 3.0}],
        model / "gate/report.json": {"passed": True},
    }  # fmt: skip
    for file, content in files.items():
        write_json(file, content)
    return folder


@dataclass
class Read(HTMLParser):
    """A page taken apart by an HTML parser."""

    text: str
    elements: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str | None]] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    """The element that each text stands in, and the text."""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.text)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag != "meta":
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self._open[-1] if self._open else "", data))

    def of(self, tag: str) -> list[str]:
        """Return the texts that stand in elements of a name."""
        return [words for name, words in self.words if name == tag]
