"""Whether ways to tell a change suit their columns, and rows can be watched apart by those named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.near import near
from mlspec.errors import Fault
from mlspec.sdk.drift_method import METHODS, Suits, suiting
from mlspec.sdk.feature import Feature
from mlspec.spec.monitoring import DriftDistance
from mlspec.spec.spec import Spec


def check_drift(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give methods of columns that the model does not take, methods that do not suit their column, and what
    rows cannot be watched apart by.

    Where features are chosen by the data, `mlspec monitor` looks instead.
    """
    features = spec.data.features if isinstance(spec.data.features, Mapping) else None
    for column, method in spec.monitoring.drift.methods.items():
        path: KeyPath = ("monitoring", "drift", "methods", column)
        word = method.method if isinstance(method, DriftDistance) else method
        known = METHODS[word]
        if known.threshold is not None and not isinstance(method, DriftDistance):
            what = f"the distance '{word}' has no error rate, so it needs a threshold"
            fix = f"{column}: {{method: {word}, threshold: {known.threshold}}}"
            yield composed.fault("MS0371", what, path, fix=fix)
        if features is not None:
            yield from _misfit(column, word, features, path, composed)
        for name, monitor in spec.monitoring.monitors.items():
            if known.values and getattr(monitor, "sample", None) == 0:
                what = f"'{word}' needs values, and the monitor '{name}' keeps none"
                fix = f"set monitoring.monitors.{name}.sample: 1000, or another method"
                yield composed.fault("MS0371", what, path, fix=fix)
    for place, column in enumerate(spec.monitoring.segments):
        yield from _no_segment(spec, column, place, features, composed)


def _no_segment(
    spec: Spec, column: str, place: int, features: Mapping[str, Feature] | None, composed: Composed
) -> Iterator[Fault]:
    path: KeyPath = ("monitoring", "segments", place)
    if column in spec.monitoring.segments[:place]:
        yield composed.fault("MS0372", f"'{column}' stands twice", path, fix="take one out")
        return
    if not spec.deployments:
        what = f"nothing watches rows by '{column}': the spec has no deployment"
        yield composed.fault("MS0372", what, path, fix="add a deployment, or leave monitoring.segments out")
    if features is None:
        return
    if column not in features:
        what, fix = _not_taken(column, features)
        yield composed.fault("MS0372", what, path, fix=fix)
    elif features[column].tensor != "string":
        texts = [name for name, feature in features.items() if feature.tensor == "string"]
        what = f"rows are watched apart by columns of text, and '{column}' is a {features[column].kind}"
        fix = f"one of {', '.join(texts)}" if texts else "leave monitoring.segments out"
        yield composed.fault("MS0372", what, path, fix=fix)


def _misfit(
    column: str, word: str, features: Mapping[str, Feature], path: KeyPath, composed: Composed
) -> Iterator[Fault]:
    if column not in features:
        what, fix = _not_taken(column, features)
        yield composed.fault("MS0371", what, path, key=True, fix=fix)
        return
    feature = features[column]
    held = _held(feature)
    if held is None:
        what = f"'{column}' is a {feature.kind}, of which only the share of nulls is compared"
        yield composed.fault("MS0371", what, path, fix="take it out")
    elif word not in suiting(held):
        what = f"'{word}' is for {METHODS[word].suits}, and '{column}' is a {feature.kind}"
        at = (*path, "method") if composed.origins((*path, "method")) else path
        yield composed.fault("MS0371", what, at, fix=f"one of {', '.join(suiting(held))}")


def _held(feature: Feature) -> Suits | None:
    """Return what a monitor sees of a column; None where it looks at nulls only."""
    if "datetime" in feature.takes or feature.tensor not in ("float64", "string"):
        return None
    if feature.tensor == "float64":
        return "numbers"
    return "two categories" if feature.kind == "binary" else "categories"


def _not_taken(column: str, features: Mapping[str, Feature]) -> tuple[str, str]:
    """Return the fault of a column that is no feature, and its mend."""
    close = near(column, features)
    fix = f"did you mean '{close}'?" if close else f"one of {', '.join(features)}"
    return f"the model takes no column '{column}'", fix
