"""Whether exports, deployments and monitors name each other rightly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlspec.compose.composed import Composed
from mlspec.compose.near import near
from mlspec.errors import Fault
from mlspec.spec.spec import Spec


def check_uses(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give names that point nowhere."""
    if not spec.exports:
        yield composed.fault(
            "MS0309",
            "'exports' names nothing",
            ("exports",),
            key=True,
            fix="take it out, or name one: main: {kind: onnx}",
        )
    for name, deployment in spec.deployments.items():
        if deployment.export not in spec.exports:
            what = f"no export is called '{deployment.export}'"
            yield composed.fault(
                "MS0309", what, ("deployments", name, "export"), fix=_one_of(deployment.export, spec.exports)
            )
    for name, monitor in spec.monitoring.monitors.items():
        if monitor.of not in spec.deployments:
            what = f"no deployment is called '{monitor.of}'"
            yield composed.fault(
                "MS0309",
                what,
                ("monitoring", "monitors", name, "of"),
                fix=_one_of(monitor.of, spec.deployments),
            )


def _one_of(word: str, names: Iterable[str]) -> str:
    names = tuple(names)
    if not names:
        return "there are none; add it first"
    close = near(word, names)
    return (f"did you mean '{close}'? " if close else "") + f"there are {', '.join(names)}"
