"""How the model learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.charts.chart import Series, chart
from mlspec.telling.figure import figure
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.sections.profile import profile
from mlspec.telling.table import table

LOSSES = {"train_loss": "training", "val_loss": "validation"}
TITLES = {"lr": "Learning rate", "train_skipped_steps": "Steps left out, as a gradient overflowed fp16"}


def training(left: Left) -> Html:
    """Return the curves over epochs, and what was kept."""
    for step in left.steps("train"):
        model, history = left.read(step, "model.json"), left.read(step, "history.json")
        if model is None:
            return Html("")
        epochs = (history or {}).get("epochs") or ()
        facts = _facts(model, len(epochs), step.hardware or {})
        curves = tag("div", *_curves(epochs, model.get("best_epoch")), class_="charts")
        logs = f"artifacts/{step.pipeline}/logs/{step.step}"
        seen = profile(left.read_file(left.workspace / logs / "profile.json"), logs)
        return joined(tag("p", facts), _calibration(model.get("calibration")), curves, seen)
    return Html("")


def _facts(model: Mapping[str, Any], epochs: int, hardware: Mapping[str, Any]) -> str:
    best, threshold = model.get("best_epoch"), model.get("threshold")
    words = [f"{epochs} epochs" if epochs else "Fitted in one go"]
    if best is not None:
        words.append(f"the weights of epoch {best} were kept")
    if threshold is not None:
        words.append(f"an answer is the positive class from a probability of {figure(threshold)}")
    words += [
        f"training.{name} was found to be {value}" for name, value in sorted(model.get("found", {}).items())
    ]
    if hardware.get("accelerator"):
        device = f" ({hardware['device']})" if hardware.get("device") else ""
        words.append(f"on {hardware['accelerator']}{device}")
    return "; ".join(words) + "."


def _calibration(told: Mapping[str, Any] | None) -> Html:
    """Return what calibration changed; nothing where there was none."""
    if told is None:
        return Html("")
    kind, found = told["options"]["kind"], told["found"]
    at = f", {figure(found['temperature'])}" if "temperature" in found else ""
    rows = [(name, figure(told["before"][name]), figure(told["after"][name])) for name in told["before"]]
    words = f"Calibrated by {kind}{at}; judged on {told['rows']:,} rows of val, each by a fit on others."
    head = ("measure", "before", "after")
    return joined(tag("p", words), table("Calibration", head, rows, numbers=("before", "after")))


def _curves(epochs: Sequence[Mapping[str, Any]], best: int | None) -> list[Html]:
    if not epochs:
        return []
    names = dict.fromkeys(name for epoch in epochs for name in epoch if name != "epoch")
    at = None if best is None else (float(best), f"epoch {best}")
    losses = [_series(epochs, name, LOSSES[name]) for name in names if name in LOSSES]
    found = [chart("Loss", losses, "epoch", "loss", at=at)] if losses else []
    for name in sorted(names, key=lambda name: name == "lr"):
        if name not in LOSSES:
            title = TITLES.get(name, f"Validation {name.removeprefix('val_')}")
            found.append(chart(title, [_series(epochs, name, name)], "epoch", name, at=at))
    return found


def _series(epochs: Sequence[Mapping[str, Any]], key: str, name: str) -> Series:
    points = [(float(epoch["epoch"]), float(epoch[key])) for epoch in epochs if epoch.get(key) is not None]
    return Series(name, points)
