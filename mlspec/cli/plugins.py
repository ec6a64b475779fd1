"""`mlspec plugins`: what may stand right of `kind:`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mlspec.cli.arguments import add_json
from mlspec.cli.console import emit, stdout

SUMMARY = "list the kinds that fill each slot, or the options of one, or check one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument("slot", nargs="?", help="such as model, feature, source")
    parser.add_argument("kind", nargs="?", help="such as mlp: its options, with defaults and limits")
    parser.add_argument("--check", action="store_true", help="try whether a kind does what it must")
    add_json(parser)


def plugins(arguments: argparse.Namespace) -> int:
    """Print slots, kinds or options, or try what a kind must do.

    Raises:
        UsageError: there is no such slot, or `--check` stands without a kind.
    """
    from mlspec import registry
    from mlspec.compose.workspace import workspace_of
    from mlspec.errors import UsageError

    registry.attach(workspace_of(Path("spec.yaml")))
    slot, kind = arguments.slot, arguments.kind
    if slot is not None and slot not in registry.SLOTS:
        from mlspec.compose.near import near

        close = near(slot, registry.SLOTS)
        fix = f"did you mean '{close}'?" if close else f"one of {', '.join(registry.SLOTS)}"
        raise UsageError(f"no slot is called '{slot}'", fix=fix)
    if arguments.check:
        from mlspec.cli._checked import checked

        if kind is None:
            raise UsageError(
                "--check tries one kind, and none is named", fix="mlspec plugins model my_model --check"
            )
        return checked(slot, kind, arguments.json)
    if kind is not None:
        _show_kind(_kind(slot, kind), arguments.json)
        return 0
    slots = registry.SLOTS if slot is None else (slot,)
    found = {name: {kind: _line(name, kind) for kind in registry.kinds(name)} for name in slots}
    if arguments.json:
        emit(found)
        return 0
    for name, kinds in found.items():
        stdout().print(name, style="bold")
        width = max((len(kind) for kind in kinds), default=0)
        for kind, line in kinds.items():
            stdout().print(f"  {kind:<{width}}  {line}")
    return 0


def _line(slot: str, kind: str) -> str:
    """Return a kind's first line of documentation, or why it cannot be had."""
    from mlspec import registry
    from mlspec.errors import MlspecError
    from mlspec.spec.described import summary

    try:
        found: Any = registry.find(slot, kind)
        return summary(found)
    except MlspecError as error:
        return f"({error.what})"


def _kind(slot: str, kind: str) -> dict[str, Any]:
    import inspect

    from mlspec import registry
    from mlspec.cli._in_words import in_words
    from mlspec.spec.described import described

    found: Any = registry.find(slot, kind)
    texts = described(found)
    file = registry.file(slot, kind)
    options = []
    for name, field in found.model_fields.items():
        if name == "kind":
            continue
        required = field.is_required()
        default = None if required else field.get_default(call_default_factory=True)
        options.append(
            {
                "name": name,
                "required": required,
                "default": _plain(default),
                "type": in_words(field.annotation, field.metadata),
                "description": texts.get(name, ""),
            }
        )
    return {
        "slot": slot,
        "kind": kind,
        "description": inspect.getdoc(found) or "",
        "file": str(file) if file else None,
        "revision": found.revision,
        "needs": dict(found.requires),
        "options": options,
    }


def _plain(value: Any) -> Any:
    from mlspec.sdk.fields import parameters

    return parameters(value)


def _show_kind(found: dict[str, Any], json: bool) -> None:
    if json:
        emit(found)
        return
    console = stdout()
    console.print(f"{found['slot']}: {{kind: {found['kind']}}}", style="bold")
    console.print(found["description"])
    if found["file"]:
        console.print(f"\n{found['file']}", style="dim")
    for module, extra in found["needs"].items():
        console.print(f"needs {module}: pip install 'mlspec[{extra}]'", style="dim")
    for option in found["options"]:
        value = "required" if option["required"] else f"default {option['default']}"
        console.print(f"\n  {option['name']}", style="bold", end="")
        console.print(f"  {option['type']}  ({value})")
        console.print(f"      {option['description']}")
