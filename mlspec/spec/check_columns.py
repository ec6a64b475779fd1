"""Whether the columns that a spec names are there, and each column of the data is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.near import near
from mlspec.errors import Fault, MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.spec.spec import Spec

ANSWERS = frozenset({"label", "probabilities", "value"})
"""Names of the exported file's outputs."""
RESERVED = ("mlspec_", "mlspec/")
"""Starts of names that mlspec gives itself."""
_SHOWN = 20


Known = Callable[[Spec], tuple[str, ...] | None]
"""Asked for the columns of data that is not here: empty where they are not known, None where it should be."""


def check_columns(
    spec: Spec, composed: Composed, folder: Path, *, data: bool, known: Known = lambda spec: None
) -> Iterator[Fault]:
    """Give columns with two roles, with names that clash, that are not there, or that nobody named.

    Args:
        spec: The spec.
        composed: Where each value was said.
        folder: The spec's folder, where relative paths start.
        data: Whether the source is asked for its columns.
        known: Asked for them where the source is not here.
    """
    roles, mentions = _roles(spec), _mentions(spec)
    yield from _two_roles(spec, roles, mentions, composed)
    yield from _clashes(spec, roles, composed)
    if not data:
        return
    at: KeyPath = ("data", "source")
    at += next(((key,) for key in ("path", "url", "sql") if getattr(spec.data.source, key, None)), ())
    try:
        columns = spec.data.source.columns(Context(workspace=folder))
    except (MissingError, StepError) as error:
        if isinstance(error.where, str) and error.where.startswith("data.source."):
            at = tuple(error.where.split("."))
        then = known(spec) if isinstance(error, MissingError) else None
        if then is None:
            beyond = spec.data.source.keeps and isinstance(error, MissingError)
            yield composed.fault("MS0313" if beyond else "MS0312", error.what, at, fix=error.fix)
        if not then:
            return
        # What was left out is not among what a run found.
        columns = tuple(dict.fromkeys((*then, *spec.data.ignore)))
    yield from _bad_names(columns, at, composed)
    there = set(columns)
    named = {column for column, _, _ in (*roles, *mentions)}
    left = [column for column in columns if column not in named]
    for column, path, is_key in (*roles, *mentions):
        if column not in there:
            yield composed.fault(
                "MS0301",
                f"the data has no column '{column}'",
                path,
                key=is_key,
                fix=_nearest(column, columns, left),
            )
    if spec.data.features == "auto":
        for column in left:
            if column in ANSWERS:
                what = (
                    f"the column '{column}' would become a feature, and an answer of the model has its name"
                )
                yield composed.fault(
                    "MS0311",
                    what,
                    ("data", "features"),
                    key=True,
                    fix="rename it in the data, or name it in data.ignore",
                )
    else:
        yield from _unnamed(left, named - there, composed)


_Use = tuple[str, KeyPath, bool]
"""A column, where it is named, and whether it is a key there."""


def _roles(spec: Spec) -> tuple[_Use, ...]:
    """Return each column with a role of its own; one column has one role."""
    data = spec.data
    found: list[_Use] = [(data.target.column, ("data", "target", "column"), False)]
    if isinstance(data.features, Mapping):
        found += [(column, ("data", "features", column), True) for column in data.features]
    found += [(column, ("data", "key", index), False) for index, column in enumerate(data.key)]
    if data.weight is not None:
        found.append((data.weight, ("data", "weight"), False))
    found += [(column, ("data", "ignore", index), False) for index, column in enumerate(data.ignore)]
    return tuple(found)


def _mentions(spec: Spec) -> tuple[_Use, ...]:
    """Return each column that something reads besides its role."""
    found: list[_Use] = []
    if spec.data.event_time is not None:
        found.append((spec.data.event_time.column, ("data", "event_time", "column"), False))
    found += [
        (column, _where(("data", "split"), spec.data.split, column), False)
        for column in spec.data.split.reads()
    ]
    found += [
        (column, ("evaluation", "slices", index), False)
        for index, column in enumerate(spec.evaluation.slices)
    ]
    for index, rule in enumerate(spec.validation.rules):
        found += [
            (column, _where(("validation", "rules", index), rule, column), False)
            for column in rule.mentions()
        ]
    return tuple(dict.fromkeys(found))


def _where(path: KeyPath, plugin: object, column: str) -> KeyPath:
    """Return the option of a plug-in that names a column."""
    for name in type(plugin).model_fields:  # type: ignore[attr-defined]
        value = getattr(plugin, name)
        if value == column:
            return (*path, name)
        if isinstance(value, tuple) and column in value:
            return (*path, name, value.index(column))
    for name in type(plugin).model_fields:  # type: ignore[attr-defined]
        value = getattr(plugin, name)
        if isinstance(value, str) and column in value:
            return (*path, name)
    return path


def _two_roles(
    spec: Spec, roles: tuple[_Use, ...], mentions: tuple[_Use, ...], composed: Composed
) -> Iterator[Fault]:
    first: dict[str, KeyPath] = {}
    for column, path, is_key in roles:
        if column in first:
            what = f"the column '{column}' has two roles: {_named(first[column])} and {_named(path)}"
            yield composed.fault("MS0303", what, path, key=is_key, fix="keep one of them")
        else:
            first[column] = path
    features = spec.data.features if isinstance(spec.data.features, Mapping) else {}
    for column, path, _ in mentions:
        if first.get(column, ())[:2] == ("data", "ignore"):
            what = f"the column '{column}' is ignored, and {_named(path)} reads it"
            yield composed.fault("MS0303", what, path, fix="take it out of data.ignore: being read is enough")
        elif path[:2] == ("data", "split") and spec.data.split.kind == "column" and column in features:
            what = f"the column '{column}' says each row's split, and cannot be a feature"
            yield composed.fault(
                "MS0303", what, path, fix="take it out of data.features: being read is enough"
            )
        elif path == ("data", "event_time", "column") and first.get(column, ())[:2] in (
            ("data", "target"),
            ("data", "weight"),
        ):
            what = f"the column '{column}' has two roles: {_named(first[column])} and data.event_time"
            yield composed.fault("MS0303", what, path, fix="keep one of them")


def _named(path: KeyPath) -> str:
    words = [step for step in path if isinstance(step, str)]
    return ".".join(words[:2])


def _clashes(spec: Spec, roles: tuple[_Use, ...], composed: Composed) -> Iterator[Fault]:
    for column, path, is_key in roles:
        if column in ANSWERS and path[1] in ("features", "key"):
            what = f"the column '{column}' has the name of an answer of the model"
            yield composed.fault(
                "MS0311", what, path, key=is_key, fix="rename it in the data, or name it in data.ignore"
            )
        if column.lower().startswith(RESERVED):
            what = f"the column '{column}' starts like names that mlspec gives itself"
            yield composed.fault("MS0311", what, path, key=is_key, fix="rename it in the data")


def _bad_names(columns: tuple[str, ...], at: KeyPath, composed: Composed) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for position, column in enumerate(columns, 1):
        if not column:
            yield composed.fault(
                "MS0311", f"column {position} of the data has no name", at, fix="name it in the data"
            )
            continue
        other = seen.setdefault(column.lower(), column)
        if other != column:
            what = f"the columns '{other}' and '{column}' of the data differ only in case"
            yield composed.fault("MS0311", what, at, fix="rename one of them in the data")
    for column in sorted({column for column in columns if column and columns.count(column) > 1}):
        yield composed.fault(
            "MS0311", f"the data has two columns '{column}'", at, fix="rename one of them in the data"
        )


def _meant(column: str, columns: Iterable[str], left: Iterable[str]) -> str | None:
    """Return the column that a wrong name stands for: one that nobody named may be further away."""
    return near(column, columns) or near(column, left, furthest=0.5)


def _nearest(column: str, columns: tuple[str, ...], left: list[str]) -> str:
    close = _meant(column, columns, left)
    if close is not None:
        return f"did you mean '{close}'?"
    more = f", and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return f"the data has {', '.join(columns[:_SHOWN])}{more}"


def _unnamed(left: list[str], misspelt: set[str], composed: Composed) -> Iterator[Fault]:
    """Give columns that nobody named; those that a misspelt name stands for were told there."""
    meant = {_meant(word, left, left) for word in misspelt}
    left = [column for column in left if column not in meant]
    if not left:
        return
    if len(left) == 1:
        what = f"the column '{left[0]}' of the data is not named"
    else:
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        what = f"{len(left)} columns of the data are not named: {', '.join(left[:_SHOWN])}{more}"
    those = "it" if len(left) == 1 else "them"
    fix = f"add {those} to data.features, or to data.ignore: [{', '.join(left)}]"
    yield composed.fault("MS0302", what, ("data", "features"), key=True, fix=fix)
