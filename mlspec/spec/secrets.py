"""Secrets of a spec: only ever `${oc.env:NAME}`, and what was written out all the same is told to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from mlspec.compose.composed import Composed, at
from mlspec.compose.document import Document, KeyPath
from mlspec.compose.reader import MOST_FAULTS
from mlspec.errors import Fault, Place
from mlspec.sdk.fields import IsSecret
from mlspec.spec.dotted import dotted
from mlspec.spec.levels import at_path, homes

MEND = (
    "write ${oc.env:NAME} here, and set the variable NAME where it is needed; change a secret that was shared"
)
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_LOGIN = re.compile(r"://[^/\s\"']*:[^/\s\"']*@")
SHORTEST = 4
"""Characters from which a secret is looked for in sentences: a shorter one would blot out half of each."""


def is_secret(path: KeyPath, tree: Any) -> bool:
    """Return whether a key of a tree holds a secret."""
    return any(level.secret for level in at_path(path, tree))


def is_harmless(value: Any, marks: Iterable[IsSecret | None]) -> bool:
    """Return whether a text at a secret's place holds none, as one of its marks can tell."""
    found = [mark.harmless for mark in marks if mark is not None and mark.harmless is not None]
    return isinstance(value, str) and any(harmless(value) for harmless in found)


def check_secrets(composed: Composed) -> list[Fault]:
    """Return a fault for each `${oc.env:NAME}` where no secret stands, and each secret that another layer
    writes out.
    """
    found = []
    for path in composed.environment[:MOST_FAULTS]:
        if is_secret(path, composed.tree):
            found += list(_written_below(composed, path))
        elif path[-1] not in _words() or at_path(path, composed.tree):
            what = f"'{dotted(path)}' takes no value of the environment"
            fix = f"only secrets do ({', '.join(_homes())}); set it with an override"
            found.append(composed.fault("MS0118", what, path, fix=fix))
    return found


def written_out(path: KeyPath, composed: Composed) -> Fault:
    """Return the fault of a secret that stands in a text."""
    return composed.fault(
        "MS0121", f"'{dotted(path)}' is a secret and must not be written out", path, fix=MEND
    )


def masked(faults: Sequence[Fault], composed: Composed) -> tuple[Fault, ...]:
    """Return faults in which no secret can be read, whatever line, sentence or override they show."""
    secrets: set[str] = set()
    lines: set[tuple[str, int]] = set()
    for layer in composed.layers:
        for line, text in _literals(layer.document):
            secrets.add(text)
            lines.add((layer.document.name, line))
    faults = [_without_logins(fault) for fault in faults]
    if not secrets:
        return tuple(faults)
    longest = sorted(secrets, key=len, reverse=True)
    return tuple(_masked(fault, longest, lines) for fault in faults)


def _written_below(composed: Composed, path: KeyPath) -> Iterator[Fault]:
    for layer in composed.layers:
        inner = path[len(layer.package) :]
        mark = layer.document.marks.get(inner)
        if path[: len(layer.package)] == layer.package and mark is not None:
            value = at(layer.document.tree, inner)
            marks = [level.secret for level in at_path(path, composed.tree)]
            if value is not None and not _REFERENCE.fullmatch(str(value)) and not is_harmless(value, marks):
                what = f"'{dotted(path)}' is a secret and must not be written out"
                yield layer.document.fault("MS0121", what, *mark.value, MEND)


def _words() -> set[str]:
    return {home.key for home in homes() if home.secret}


def _homes() -> list[str]:
    return [home.path.replace("*", "<name>") for home in homes() if home.secret]


def _literals(document: Document) -> Iterator[tuple[int, str]]:
    """Give what stands below each key that has a secret's name, at its right level or not."""
    words = _words()
    marks: dict[str, list[IsSecret | None]] = {}
    for home in homes():
        marks.setdefault(home.key, []).append(home.secret)
    for path, mark in document.marks.items():
        if words.isdisjoint(path):
            continue
        value = at(document.tree, path)
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if is_harmless(value, marks.get(str(path[-1]), ())):
            continue
        if plain and str(value) and not _REFERENCE.fullmatch(str(value)):
            yield mark.value[0], str(value)


def _masked(fault: Fault, secrets: list[str], lines: set[tuple[str, int]]) -> Fault:
    where, excerpt = fault.where, fault.excerpt
    what, fix = _without(fault.what, secrets, SHORTEST), fault.fix and _without(fault.fix, secrets, SHORTEST)
    if isinstance(where, Place):
        if (where.document, where.line) in lines and excerpt:
            hidden = _without(excerpt, secrets, 1)
            # Written with escapes, a secret cannot be found in its line: the line is not shown at all.
            excerpt = hidden if hidden != excerpt else None
            where = replace(where, document=_without(where.document, secrets, 1))
        elif excerpt:
            excerpt = _without(excerpt, secrets, SHORTEST)
    others = tuple(
        replace(place, document=_without(place.document, secrets, 1))
        if (place.document, place.line) in lines
        else place
        for place in fault.others
    )
    return replace(fault, what=what, fix=fix, where=where, excerpt=excerpt, others=others)


def _without_logins(fault: Fault) -> Fault:
    """Return a fault that shows no user with a password of a URL, wherever the URL stands."""

    def hidden(text: str) -> str:
        return _LOGIN.sub(lambda found: f"://{'*' * (len(found[0]) - 4)}@", text)

    where = fault.where
    if isinstance(where, Place):
        where = replace(where, document=hidden(where.document))
    return replace(
        fault,
        what=hidden(fault.what),
        fix=fault.fix and hidden(fault.fix),
        excerpt=fault.excerpt and hidden(fault.excerpt),
        where=where,
        others=tuple(replace(place, document=hidden(place.document)) for place in fault.others),
    )


def _without(text: str, secrets: list[str], shortest: int) -> str:
    for secret in secrets:
        if len(secret) >= shortest:
            text = text.replace(secret, "*" * len(secret))
    return text
