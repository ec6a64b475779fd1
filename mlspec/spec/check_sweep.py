"""Whether what a sweep searches can be searched, and ranked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.near import near
from mlspec.errors import Fault
from mlspec.sdk.frozen import freeze
from mlspec.spec.check_hardware import check_hardware
from mlspec.spec.check_training import check_training
from mlspec.spec.evaluation import default_metrics
from mlspec.spec.levels import keys_at
from mlspec.spec.resolved import resolved
from mlspec.spec.space import path_of
from mlspec.spec.spec import Spec
from mlspec.spec.sweep import Searched, Sweep
from mlspec.spec.varied import varied

SECTIONS = ("model", "training")
AT: KeyPath = ("sweep", "parameters")
KEY = frozenset({"MS0201", "MS0202", "MS0206", "MS0207", "MS0208"})
"""Faults of a key, whatever its value."""
SHOWN = 60
"""Characters of a value that are shown."""


def check_sweep(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give parameters that name no key, values that a key does not take, and a rank that nobody can tell."""
    sweep = spec.sweep
    if sweep is None:
        return
    yield from _check_rank(sweep, spec, composed)
    yield from _check_open(sweep, spec, composed)
    sound = True
    known = _meaning(spec, composed)
    for name, searched in sweep.parameters.items():
        faults = list(_check_place(name, sweep, composed) or _check_form(name, searched, composed))
        if not faults:
            faults = list(_check_values(name, searched, composed, known))
        sound = sound and not faults
        yield from faults
    if sound and len(sweep.parameters) > 1:
        yield from _check_together(sweep, composed, known)


def _check_rank(sweep: Sweep, spec: Spec, composed: Composed) -> Iterator[Fault]:
    measured = spec.evaluation.metrics or default_metrics(spec.data.target.kind, spec.training.loss)
    names = [metric.kind for metric in measured]
    if sweep.metric not in names:
        close = near(sweep.metric, names)
        fix = f"did you mean '{close}'?" if close else f"add '{sweep.metric}' to evaluation.metrics"
        what = f"trials are ranked by '{sweep.metric}', which is not among evaluation.metrics "
        yield composed.fault("MS0353", f"{what}({', '.join(names)})", ("sweep", "metric"), fix=fix)
    if not spec.data.split.has_val():
        what = "trials are ranked on the val split, and data.split leaves none"
        yield composed.fault("MS0307", what, ("sweep",), key=True, fix="give val a share in data.split")
    fixed = not any(path_of(name) in (("model",), ("model", "kind")) for name in sweep.parameters)
    said = "pruner" in sweep.model_fields_set and sweep.pruner != "none"
    if said and fixed and "epochs" not in spec.model.obeys():
        what = f"'{sweep.pruner}' stops trials after an epoch, and the model '{spec.model.kind}' has none"
        fix = "remove it, or write pruner: none"
        yield composed.fault("MS0353", what, ("sweep", "pruner"), fix=fix)


def _check_open(sweep: Sweep, spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give values that would be found for one training, where there are many."""
    places: tuple[tuple[KeyPath, Any], ...] = (
        (("training", "batch_size"), spec.training.batch_size),
        (("training", "optimizer", "lr"), spec.training.optimizer.lr),
    )
    for path, value in places:
        name = ".".join(map(str, path))
        searched = sweep.parameters.get(name)
        what = f"'{name}: auto' is found for one training, and a sweep has many"
        if searched is not None and "auto" in (searched.choices or ()):
            yield composed.fault("MS0352", what, (*AT, name, "choices"), fix="name numbers")
        elif searched is None and value == "auto":
            fix = f"give a number, search '{name}', or train without the sweep: '~sweep' on the command line"
            yield composed.fault("MS0353", what, path, fix=fix)


def _check_place(name: str, sweep: Sweep, composed: Composed) -> list[Fault]:
    path, at = path_of(name), (*AT, name)
    if path[0] not in SECTIONS:
        what = f"'{name}' cannot be searched: a sweep prepares the data once, and tries model and training"
        fix = f"name a key under {' or '.join(SECTIONS)}, such as training.optimizer.lr"
        close = near(str(path[0]), SECTIONS)
        if close is not None:
            fix = f"did you mean '{'.'.join(map(str, (close, *path[1:])))}'?"
        return [composed.fault("MS0351", what, at, key=True, fix=fix)]
    if path[:2] in (("training", "checkpoint"), ("training", "profile")) or path == ("training",):
        fix = "name one key, such as training.batch_size"
        what = f"'{name}' cannot be searched" + ("" if path == ("training",) else ": it changes no result")
        return [composed.fault("MS0351", what, at, key=True, fix=fix)]
    for other in sweep.parameters:
        if other != name and path[: len(path_of(other))] == path_of(other):
            what = f"'{name}' lies inside of '{other}', which is searched as well"
            return [composed.fault("MS0351", what, at, key=True, fix="remove one of the two")]
    return []


def _check_form(name: str, searched: Searched, composed: Composed) -> Iterator[Fault]:
    at, said = (*AT, name), searched.model_fields_set
    if searched.choices is not None:
        for word in sorted(said - {"choices"}):
            what = f"'{name}' is searched among choices, and '{word}' is for low and high"
            yield composed.fault("MS0352", what, (*at, word), key=True, fix=f"remove {word}")
        plain = resolved(searched.choices)
        for index, choice in enumerate(plain):
            if choice in plain[:index]:
                what = f"{_shown(choice)} stands here a second time"
                yield composed.fault("MS0352", what, (*at, "choices", index), fix="remove one of the two")
        return
    low, high = searched.low, searched.high
    if low is None or high is None:
        lacking = " and ".join(word for word in ("low", "high") if getattr(searched, word) is None)
        what = f"'{name}' is searched, and {lacking} is missing"
        yield composed.fault(
            "MS0352", what, at, key=True, fix="write {low: ..., high: ...} or {choices: [...]}"
        )
    elif low >= high:
        what = f"'{name}' is searched from {low} to {high}: low must be less than high"
        fix = f"set {name} to {low} itself, and search it no more" if low == high else "swap the two"
        yield composed.fault("MS0352", what, (*at, "low"), fix=fix)
    elif searched.log and low <= 0:
        what = f"'log' looks at powers of ten, and low is {low}"
        yield composed.fault("MS0352", what, (*at, "low"), fix="set low above 0, or remove log")
    elif searched.log and searched.step is not None:
        what = "steps of one length and 'log' exclude each other"
        yield composed.fault("MS0352", what, (*at, "step"), key=True, fix="remove one of the two")
    elif searched.step is not None and searched.step > high - low:
        what = f"a step of {searched.step} leads beyond {high} at once"
        yield composed.fault("MS0352", what, (*at, "step"), fix=f"at most {high - low}")


def _check_values(name: str, searched: Searched, composed: Composed, known: set[str]) -> Iterator[Fault]:
    at = (*AT, name)
    if searched.choices is None:
        places = [((*at, word), getattr(searched, word)) for word in ("low", "high")]
    else:
        places = [((*at, "choices", index), one) for index, one in enumerate(resolved(searched.choices))]
    for place, value in places:
        fault = _first(composed, {path_of(name): value}, known)
        if fault is None:
            continue
        if fault.code in KEY and not isinstance(value, dict):
            what = f"'{name}' cannot be searched: {fault.what}"
            *parent, word = path_of(name)
            # A key that the spec sets already is what was meant, and no second one.
            close = near(str(word), keys_at(tuple(parent), composed.tree), furthest=0.34)
            fix = fault.fix if close is None else f"did you mean '{'.'.join(map(str, (*parent, close)))}'?"
            yield composed.fault("MS0351", what, at, key=True, fix=fix)
            return
        what = f"'{name}' cannot be {_shown(value)}: {fault.what}"
        yield composed.fault("MS0352", what, place, fix=fault.fix)


def _check_together(sweep: Sweep, composed: Composed, known: set[str]) -> Iterator[Fault]:
    """Give what the first values of all parameters contradict: every trial starts from them."""
    values = {
        path_of(name): one.low if one.choices is None else resolved(one.choices)[0]
        for name, one in sweep.parameters.items()
    }
    fault = _first(composed, values, known)
    if fault is not None:
        what = f"the first values of all parameters do not go together: {fault.what}"
        yield composed.fault("MS0352", what, AT, key=True, fix=fault.fix)


def _first(composed: Composed, values: dict[KeyPath, Any], known: set[str]) -> Fault | None:
    """Return what the language says against some values; None where it has nothing to say."""
    try:
        other = varied(composed, values)
    except LookupError as lost:
        return Fault("MS0201", str(lost.args[0]), None, "name a key, not a place in a list")
    try:
        spec = Spec.model_validate(freeze(other.tree))
    except ValidationError as error:
        from mlspec.spec.faults import faults

        return next((fault for fault in faults(error, other) if fault.what not in known), None)
    return next((fault for fault in _told(spec, other) if fault.what not in known), None)


def trouble(spec: Spec, composed: Composed) -> str | None:
    """Return why a trial's values do not go together; None where they do."""
    return next((fault.what for fault in _told(spec, composed)), None)


def _told(spec: Spec, composed: Composed) -> Iterator[Fault]:
    yield from check_training(spec, composed)
    yield from check_hardware(spec, composed)


def _meaning(spec: Spec, composed: Composed) -> set[str]:
    """Return what is said against the spec itself: no value of a sweep is to blame for that."""
    found = {fault.what for fault in _told(spec, composed)}
    try:
        Spec.model_validate(freeze(composed.tree))
    except ValidationError as error:
        from mlspec.spec.faults import faults

        found |= {fault.what for fault in faults(error, composed)}
    return found


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}'"
