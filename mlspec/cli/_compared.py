"""What a comparison looks like: for a terminal, a program, a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlspec.plan.compare import Change, Comparison
    from mlspec.run.planned import Planned

LONGEST = 80


@dataclass(frozen=True)
class Side:
    """One of two specs that are compared."""

    name: str
    """As the user named it."""
    revision: str | None
    found: Planned
    file: Path | None = None
    """Where a revision's file lies for so long."""

    def said(self, change: Change) -> str:
        """Return where this side says the value: a place, or the layer that gives it."""
        origins = [origin for origin in self.found.composed.origins(change.path) if not origin.removed]
        if not origins:
            return ""
        place = str(origins[-1].place)
        place = place.replace(str(self.file), self.name.split(" ")[0]) if self.file else place
        preset = origins[-1].preset
        return f"{place} (a preset of mlspec's)" if preset and place.startswith("mlspec:") else place


def as_text(found: Comparison, old: Side, new: Side) -> str:
    """Return a group of lines for each consequence."""
    lines = [f"{old.name} -> {new.name}: {_counted(found)}"]
    for head, changes in _groups(found):
        lines += ["", head]
        told = [(key, " -> ".join(_values(change, old, new)), change) for key, change in changes]
        width = max(len(key) for key, _, _ in told)
        for key, values, change in told:
            where = _where(change, old, new)
            lines.append(f"  {key:<{width}}  {values}" + (f"    [{where}]" if where else ""))
            if change.steps:
                lines.append(f"  {'':<{width}}  in {', '.join(change.steps)}")
    lines += ["", *_work(found, old, new)]
    return "\n".join(lines) + "\n"


def as_markdown(found: Comparison, old: Side, new: Side) -> str:
    """Return a table for each consequence."""
    lines = [f"### {_code(old.name)} → {_code(new.name)}: {_counted(found)}", ""]
    for head, changes in _groups(found):
        lines += [f"**{head}**", "", "| key | before | after | steps | said at |", "|---|---|---|---|---|"]
        for key, change in changes:
            cells = (
                _code(key), *map(_code, _values(change, old, new)),
                ", ".join(change.steps), _where(change, old, new),
            )  # fmt: skip
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join([*lines, *_work(found, old, new)]) + "\n"


def as_json(found: Comparison, old: Side, new: Side) -> dict[str, Any]:
    """Return the same as plain data."""
    from mlspec.plan.leaves import GONE
    from mlspec.spec.dotted import dotted

    def change(one: Change) -> dict[str, Any]:
        told: dict[str, Any] = {"key": dotted(one.path), "path": list(one.path)}
        told |= {
            word: value for word, value in (("before", one.old), ("after", one.new)) if value is not GONE
        }
        return told | {
            "consequence": one.consequence,
            "steps": list(one.steps),
            "by_mlspec": one.by_mlspec,
            "said_at": _where(one, old, new) or None,
        }

    kept = [step.name for step in new.found.plan.steps]
    working = {*found.steps, *found.followers}
    return {
        "old": old.name,
        "new": new.name,
        "changes": [change(one) for one in found.changes],
        "text_only": _text_only(found, old, new),
        "steps": {
            "work": list(found.steps),
            "follow": list(found.followers),
            "stay": [name for name in kept if name not in working],
            "gone": list(found.gone),
        },
    }


def _groups(found: Comparison) -> Iterator[tuple[str, list[tuple[str, Change]]]]:
    from mlspec.plan.compare import CONSEQUENCES
    from mlspec.spec.dotted import dotted

    for name, head in CONSEQUENCES.items():
        changes = [(dotted(change.path), change) for change in found.changes if change.consequence == name]
        if changes:
            yield head, changes


def _counted(found: Comparison) -> str:
    number = len(found.changes)
    return "nothing differs" if not number else f"{number} change{'' if number == 1 else 's'}"


def _work(found: Comparison, old: Side, new: Side) -> Iterator[str]:
    steps = new.found.plan.steps
    if not found.steps and not found.gone:
        yield f"no step works again (of {len(steps)})"
        if _text_only(found, old, new):
            yield "comments, order or layout of the text differ; both say the same"
    if found.steps:
        yield f"work again: {', '.join(found.steps)}"
    if found.followers:
        yield f"follow, if what they read comes out different: {', '.join(found.followers)}"
    stay = [step.name for step in steps if step.name not in (*found.steps, *found.followers)]
    if found.steps and stay:
        yield f"stay: {', '.join(stay)}"
    if found.gone:
        yield f"gone: {', '.join(found.gone)}"


def _text_only(found: Comparison, old: Side, new: Side) -> bool:
    """Return whether the files differ and say the same: comments, order, layout."""
    texts = [
        sorted(layer.document.text for layer in side.found.composed.layers if layer.preset is None)
        for side in (old, new)
    ]
    return not found.changes and texts[0] != texts[1]


def _where(change: Change, old: Side, new: Side) -> str:
    from mlspec.plan.leaves import GONE

    if change.by_mlspec:
        return "by mlspec itself: no spec says it"
    if change.new is GONE:
        return old.said(change)
    said = new.said(change)
    if said:
        return said
    before = old.said(change)
    return f"the schema's default; before: {before}" if before else ""


def _values(change: Change, old: Side, new: Side) -> tuple[str, str]:
    """Return both values: of a mapping what was written of it, without the defaults."""
    from mlspec.compose.composed import at

    def shown(side: Side, value: Any) -> str:
        written = at(side.found.composed.tree, change.path) if isinstance(value, Mapping) else None
        return _text(value if written is None else written)

    return shown(old, change.old), shown(new, change.new)


def _text(value: Any) -> str:
    from mlspec.plan.leaves import GONE

    if value is GONE or value is None:
        return "nothing"
    text = _flow(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _flow(value: Any) -> str:
    """Return plain data as YAML in one line."""
    from mlspec.plan.scalar import scalar

    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)


def _code(text: str) -> str:
    """Return Markdown that shows a text as it is, whatever signs it holds."""
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"
