"""What a raw column is read as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlspec import registry
from mlspec.errors import StepError

Reads = Literal["number", "text", "datetime", "other"]


@dataclass(frozen=True)
class Role:
    """How one column's raw values become typed ones."""

    column: str
    reads: Reads
    """Number, text or datetime as the door has them; other: carried along as it is."""
    kind: str | None = None
    """The user's word for it: a feature kind, a target kind, `weight`, `event_time`; for messages."""
    timezone: str | None = None
    """The zone of naive times."""
    required: bool = False
    """A null is a reject."""
    positive: bool = False
    """A negative number is a reject."""
    nan: bool = True
    """NaN may stand among floats, and is looked for: it is null."""

    def demands(self, value: str) -> tuple[tuple[str, str], ...]:
        """Return `(condition in SQL, why)` of values that this role rejects, whatever their type was.

        Args:
            value: SQL of the typed value.
        """
        found = ((f"({value}) IS NULL", "is null"),) if self.required else ()
        return (*found, (f"({value}) < 0", "is negative")) if self.positive else found


def roles(data: Mapping[str, Any], columns: Sequence[str]) -> tuple[Role, ...]:
    """Return the role of each column of a source, in the source's order; ignored columns have none.

    Args:
        data: The `data` section, or as much of it as is needed to read rows.
        columns: What the source has.

    Raises:
        StepError: a named column is not there, or has two meanings that exclude each other.
    """
    found: dict[str, Role] = {}
    for name, feature in (data.get("features") or {}).items():
        _claim(found, _of_feature(name, feature))
    if target := data.get("target"):
        _claim(
            found,
            Role(
                target["column"],
                "number" if target["kind"] == "number" else "text",
                f"{target['kind']} target",
                required=True,
            ),
        )
    if weight := data.get("weight"):
        _claim(found, Role(weight, "number", "weight", required=True, positive=True))
    if time := data.get("event_time"):
        _claim(
            found,
            Role(
                time["column"], "datetime", "event_time", timezone=time.get("timezone", "UTC"), required=True
            ),
        )
    for name in data.get("key") or ():
        found.setdefault(name, Role(name, "other", "key"))
    missing = [name for name in found if name not in columns]
    if missing:
        raise StepError(
            f"the source has no column '{missing[0]}'"
            + (f" (nor {len(missing) - 1} more)" if missing[1:] else ""),
            where="data",
            fix=f"it has {', '.join(list(columns)[:20])}",
        )
    ignored = set(data.get("ignore") or ()) - set(found)
    return tuple(found.get(name, Role(name, "other")) for name in columns if name not in ignored)


def _of_feature(name: str, feature: str | Mapping[str, Any]) -> Role:
    options = {"kind": feature} if isinstance(feature, str) else feature
    kind = registry.find("feature", options["kind"])
    if kind.tensor == "string":
        return Role(name, "text", options["kind"])
    if "timezone" in kind.parse_fields:
        return Role(name, "datetime", options["kind"], timezone=options.get("timezone"))
    return Role(name, "number", options["kind"])


def _claim(found: dict[str, Role], role: Role) -> None:
    held = found.get(role.column)
    if held is None:
        found[role.column] = role
        return
    if held.reads != role.reads:
        raise StepError(f"column '{role.column}' cannot be both {held.kind} and {role.kind}", where="data")
    found[role.column] = replace(
        held,
        timezone=held.timezone or role.timezone,
        required=held.required or role.required,
        positive=held.positive or role.positive,
    )
