"""What a source of many files holds, reckoned file by file: those that were looked at before are not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from mlspec.engine.checking.file_profiles import FileProfiles
from mlspec.engine.checking.profile import TEXTS, runs
from mlspec.engine.checking.statistics import LISTED, SHARES, TOP
from mlspec.engine.checking.summed import summed
from mlspec.engine.database import database, settle
from mlspec.engine.parts import Part, key_of
from mlspec.engine.pulse import pulse
from mlspec.engine.reading.by_file import FILES, ByFile
from mlspec.engine.reading.reading import BOOLEAN, INTEGER
from mlspec.engine.reading.refusal import told
from mlspec.engine.reading.reject import Reject
from mlspec.engine.reading.rejects import account, reasons, reject_example
from mlspec.engine.reading.together import SHOWN, together
from mlspec.engine.sql import file_list
from mlspec.sdk.context import Context
from mlspec.sdk.contract import JsonType


@dataclass(frozen=True)
class Survey:
    """The profiles of all files of a source. What it tells is what a `Reading` and `statistics` would."""

    by_file: ByFile
    parts: tuple[Part, ...]
    """The profile of each file."""
    new: int
    """Files that were read for it."""
    max_rejects: float

    @classmethod
    def of(cls, data: Mapping[str, Any], context: Context) -> Self | None:
        """Read the files that were not looked at before; None where nothing of single files is kept.

        Args:
            data: The `data` section, or as much of it as is needed to read rows.
            context: Where relative paths start, and where parts are kept.

        Raises:
            StepError: the source cannot be read, or a column cannot be what the spec says.
        """
        by_file = ByFile.of(data, context)
        if by_file is None:
            return None
        keys = [key_of(["profile", key]) for key in by_file.keys]
        found = {place: by_file.parts.find(key) for place, key in enumerate(keys)}
        missing = [place for place, part in found.items() if part is None]
        with told(by_file.marks):
            for place, part in _looked_at(by_file, keys, missing):
                found[place] = part
        by_file.marks.check()
        by_file.parts.tidy({*keys, *by_file.used()})
        parts = tuple(part for part in found.values() if part is not None)
        return cls(by_file, parts, len(missing), float(data.get("max_rejects") or 0.0))

    @cached_property
    def rejects(self) -> tuple[Reject, ...]:
        """Unreadable rows by reason."""
        lost = [self.by_file.named(place, part.about["lost"]) for place, part in enumerate(self.parts)]
        unreadable = tuple(Reject(None, item.reason, item.rows, item.examples) for item in together(lost))
        typed: dict[int, tuple[int, list[str]]] = {}
        before = 0
        for part in self.parts:
            for code, rows, shown in part.about["rejects"]:
                many, texts = typed.get(code, (0, []))
                texts = [*texts, *(reject_example(before + at, raw) for at, raw in shown)][:SHOWN]
                typed[code] = (many + rows, texts)
            before += part.about["read"]
        why = reasons(self.by_file.casts)
        found = (Reject(*why[code], rows, tuple(texts)) for code, (rows, texts) in typed.items())
        return tuple(sorted((*unreadable, *found), key=lambda item: item.order))

    @property
    def rows(self) -> int:
        """Rows that were read, rejected ones with them."""
        taken_apart: int = sum(part.about["read"] for part in self.parts)
        return taken_apart + sum(item.rows for item in self.rejects if item.column is None)

    @property
    def rejected(self) -> int:
        """Number of unreadable rows."""
        return sum(item.rows for item in self.rejects)

    def check(self) -> Self:
        """Return this survey, if there are rows and not too many were unreadable.

        Raises:
            StepError: there are no rows.
            CheckFailed: more rows are unreadable than `data.max_rejects` allows.
        """
        account(self.rows, self.rejects, self.max_rejects)
        return self

    def line(self) -> str | None:
        """Return what to tell of files that were not read; None where all were."""
        total = len(self.parts)
        if self.new == total:
            return None
        if not self.new:
            return f"none of {total} files is new or changed; what is known of them is reused"
        word = "is" if self.new == 1 else "are"
        return f"{self.new} of {total} files {word} new or changed; what is known of the others is reused"

    def summary(self, tell: Callable[[float, float], None]) -> tuple[dict[str, JsonType], dict[str, Any]]:
        """Return what each raw column holds, and the statistics of all rows.

        Args:
            tell: Told how many columns are done, and of how many.
        """
        rows = sum(part.about["rows"] for part in self.parts)
        types: dict[str, JsonType] = {}
        columns: dict[str, Any] = {}
        texts = _Texts(self.by_file.context, [part.folder / TEXTS for part in self.parts])
        for place, item in enumerate(self.by_file.casts):
            name = item.role.column
            tell(place, len(self.by_file.casts))
            form, open_type = self.parts[0].about["forms"][name], None
            if form == "number":
                entry = self._numbers(name)
            else:
                entry, open_type = texts.entry(place, told=item.type is None)
            types[name] = item.type or open_type or "string"
            columns[name] = {"nulls": rows - entry.pop("valid")} | entry
        texts.close()
        return types, {"rows": rows, "columns": columns}

    def _numbers(self, name: str) -> dict[str, Any]:
        found = summed(
            [run for part in self.parts for run in runs(part.folder, part.about["numbers"][name])], SHARES
        )
        known = found.moments
        return {
            "valid": known.rows,
            "distinct": found.distinct,
            "quantiles": {f"{share:g}": value for share, value in zip(SHARES, found.quantiles, strict=False)},
            "min": known.low,
            "max": known.high,
            "mean": known.mean,
            "std": known.std,
        }


def _looked_at(by_file: ByFile, keys: Sequence[str], missing: Sequence[int]) -> Iterator[tuple[int, Part]]:
    """Yield the profiles of files, some of which are read at once; what was made of them stays on disk."""
    total, done = by_file.size(missing), 0
    for group in by_file.groups(missing):
        size, fresh = by_file.size(group), by_file.open(group, done, total)
        with pulse(fresh.backend.con, by_file.context, size, "bytes", done, total):
            profiles = FileProfiles.of(by_file, fresh)
            for place in group:
                yield place, by_file.parts.put(keys[place], profiles.of_file(place))
        fresh.backend.disconnect()
        done += size


@dataclass(frozen=True)
class _Texts:
    """Texts of all files with their rows, added up a column at a time: in a database, which spills."""

    context: Context
    files: Sequence[Path]

    @cached_property
    def _backend(self) -> Any:
        backend = database(self.context)
        backend.con.execute("CREATE TABLE mlspec_texts (place INTEGER, value VARCHAR, rows BIGINT)")
        for start in range(0, len(self.files), FILES):
            listed = file_list(self.files[start : start + FILES])
            backend.con.execute(f"INSERT INTO mlspec_texts FROM read_parquet({listed})")
        settle(backend)
        return backend

    def entry(self, place: int, *, told: bool) -> tuple[dict[str, Any], JsonType | None]:
        """Return the statistics of a column; and what it holds, where its values tell."""
        connection = self._backend.con
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE mlspec_groups AS SELECT value, CAST(sum(rows) AS BIGINT) AS n "
            f"FROM mlspec_texts WHERE place = {place} GROUP BY value"
        )
        distinct, valid = connection.execute(
            "SELECT count(*), CAST(coalesce(sum(n), 0) AS BIGINT) FROM mlspec_groups"
        ).fetchone()
        frequent = [
            list(row)
            for row in connection.execute(
                f"SELECT value, n FROM mlspec_groups ORDER BY n DESC, value LIMIT {LISTED}"
            ).fetchall()
        ]
        entry = {"valid": valid, "distinct": distinct, "top": frequent[:TOP]}
        if distinct <= LISTED:
            entry["values"] = sorted(value for value, _ in frequent)
        if not told or not distinct:
            return entry, None
        whole, truth = connection.execute(
            f"SELECT bool_and(regexp_full_match(value, '{INTEGER}')), "
            f"bool_and(regexp_full_match(value, '{BOOLEAN}')) FROM mlspec_groups"
        ).fetchone()
        return entry, "integer" if whole else "boolean" if truth else "string"

    def close(self) -> None:
        if "_backend" in vars(self):
            self._backend.disconnect()
