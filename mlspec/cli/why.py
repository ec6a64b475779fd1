"""`mlspec why`: says where a value comes from, or what a fault's code means."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_spec, spec_of

if TYPE_CHECKING:
    from mlspec.spec.explain import Explained

SUMMARY: str = "say where a value comes from and what it overrode, or what a fault's code means"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the key and the spec."""
    parser.add_argument(
        "key", metavar="KEY", help="such as training.optimizer.lr, or a fault's code such as MS0104"
    )
    add_spec(parser)


def why(arguments: argparse.Namespace) -> int:
    """Explain a key of a spec, or a code.

    Raises:
        UsageError: there is no such key or code.
    """
    if arguments.key[:2] == "MS" and arguments.key[2:].isdigit():
        return _code(arguments)
    from mlspec.plan.affected import affected
    from mlspec.run.planned import planned
    from mlspec.spec.explain import explain

    path, overrides, overlays = spec_of(arguments)
    made = planned(path, overrides, overlays, data=False)
    found = explain(arguments.key, made.spec, made.composed)
    steps = affected(found.path, made.plan)
    if arguments.json:
        from mlspec.cli.console import emit

        emit(_as_json(found) | {"steps": list(steps[0]), "followers": list(steps[1])})
        return 0
    import sys

    sys.stdout.write(harmless(_told(found) + _reached(found, *steps)))
    return 0


def _code(arguments: argparse.Namespace) -> int:
    import sys

    from mlspec.codes import CODES
    from mlspec.errors import UsageError

    code = arguments.key
    if code not in CODES:
        raise UsageError(
            f"no fault has the code '{code}'", fix=f"codes run from {min(CODES)} to {max(CODES)}"
        )
    if arguments.json:
        from mlspec.cli.console import emit

        emit({"code": code, "means": CODES[code]})
    else:
        sys.stdout.write(f"{code}: {CODES[code]}\n")
    return 0


def _as_json(found: Explained) -> dict[str, Any]:
    from mlspec.spec.dotted import dotted

    def origin(index: int) -> dict[str, Any]:
        one = found.origins[index]
        place = {"document": one.place.document, "line": one.place.line, "column": one.place.column}
        return {"value": one.value, "where": place, "removed": one.removed}

    return {
        "key": dotted(found.path),
        "value": found.value,
        "origins": [origin(index) for index in range(len(found.origins))],
        "default": found.default,
        "description": found.description,
        "takes": found.takes,
    }


def _told(found: Explained) -> str:
    import json

    from mlspec.spec.dotted import dotted

    def shown(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    said = [origin for origin in found.origins if origin.value is not None or origin.removed]
    lines = [f"{dotted(found.path)} = {shown(found.value)}"]
    if not said or said[-1].removed:
        lines.append("  from   the schema's default")
    for place, origin in enumerate(reversed(said)):
        value = "taken away" if origin.removed else shown(origin.value)
        lines.append(
            f"  {'over' if place or origin.removed else 'from'}   {origin.place}"
            + (f": {value}" if place or origin.removed else "")
        )
    if said and found.default is not None:
        lines.append(f"  over   the schema's default: {shown(found.default)}")
    if found.description:
        lines.append(f"  means  {found.description}")
    if found.takes:
        lines.append(f"  takes  {found.takes}")
    return "\n".join(lines) + "\n"


def _reached(found: Explained, steps: tuple[str, ...], followers: tuple[str, ...]) -> str:
    """Return which steps a change of the key makes work again."""
    if not steps:
        reader = "what watches the model reads it" if found.path[0] == "monitoring" else "a change is free"
        return f"  steps  none: {reader}\n"
    then = f", then {', '.join(followers)}" if followers else ""
    return f"  steps  {', '.join(steps)}{then}\n"
