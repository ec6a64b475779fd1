"""One reading of a source: typed rows, and the rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import ibis

from mlspec.engine.ask import here
from mlspec.engine.database import database, settle
from mlspec.engine.pulse import pulse
from mlspec.engine.reading.by_file import ROWS, ByFile
from mlspec.engine.reading.cast import Cast, cast
from mlspec.engine.reading.load import in_place, rejected_of, typed
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.refusal import told, told_again
from mlspec.engine.reading.reject import Reject
from mlspec.engine.reading.rejects import account, reasons, reject_example
from mlspec.engine.reading.role import roles
from mlspec.engine.reading.together import together
from mlspec.engine.reading.typed_files import scratch_file, view_typed, write_typed
from mlspec.engine.sql import quote
from mlspec.sdk.context import Context
from mlspec.sdk.contract import JsonType
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot

if TYPE_CHECKING:
    from mlspec.sdk.source import Source, Unreadable

INTEGER, BOOLEAN = "(0|-?[1-9][0-9]{0,14})", "(true|false)"


@dataclass(frozen=True)
class Reading:
    """Rows of a source as the door takes them.

    `number` columns are float64, `category` and `binary` text, `datetime` timestamps in UTC of whole
    milliseconds; other columns are as the source has them. Nulls are nulls.
    """

    table: ibis.Table
    """Typed rows and `mlspec_row`, the row's 0-based place among those that the source could take apart."""
    rows: int
    """Rows that were read, rejected ones with them."""
    rejects: tuple[Reject, ...]
    """Unreadable rows by reason."""
    types_told: Mapping[str, JsonType | None]
    """What each raw column holds, in their order; None where only its values tell."""
    max_rejects: float
    """Share of rows (fraction 0-1) that may be unreadable."""
    fingerprint: Mapping[str, Any] | None = None
    """Of the source as it was read, where it had to be asked for; else None."""
    marks: Marks | None = None
    """Of the source's own files, where each question reads them; None where it reads typed rows of ours."""
    extents: tuple[int, ...] | None = None
    """Of several files of text: how many rows were taken apart of each, rejected ones with them."""

    @classmethod
    def where_it_lies(
        cls,
        data: Mapping[str, Any],
        context: Context,
        readable: int | None = None,
        empty: Mapping[str, int] | None = None,
    ) -> Self:
        """Return the rows for a few questions: files that are quick to read are asked where they lie.

        Where some of their rows are unreadable, and of all other sources, it is `of` that reads.

        Args:
            data: The `data` section, or as much of it as is needed to read rows.
            context: Where relative paths start, and where to spill.
            readable: How many rows there are, where it is known that all of them are readable.
            empty: How many of those rows hold null or NaN in each column, where it is known: floats of which
                as many are null have no NaN that must be looked for each time.

        Raises:
            StepError: the source cannot be read, or a column cannot be what the spec says.
        """
        source: Source = Slot("source").choose(freeze(data["source"]))  # type: ignore[assignment]
        marks = Marks.of(source, context)
        with told(marks):
            quick = isinstance(source, FileSource) and not source.keeps and not data.get("sample")
            raw = source.numbered(context) if quick else None  # type: ignore[attr-defined]
            if raw is None:
                return cls.of(data, context)
            names = [name for name in raw.columns if name != "mlspec_row"]
            nulls = source.nulls_told(context) if empty else {}  # type: ignore[attr-defined]
            whole = _without_nan(nulls, empty or {})
            casts = tuple(
                cast(replace(role, nan=role.column not in whole), raw.schema()[role.column])
                for role in roles(data, names)
            )
            connection, query = raw.get_backend(), str(ibis.to_sql(raw, dialect="duckdb"))
            if readable is None:
                with pulse(connection.con, context, marks.size, "bytes"):
                    readable, rejected = connection.con.execute(rejected_of(query, casts)).fetchone()
                if rejected:
                    connection.disconnect()
                    return cls.of(data, context)
            connection.con.execute(f"CREATE VIEW mlspec_rows AS {in_place(query, casts)}")
        settle(connection, [*marks.files])
        return cls(
            table=connection.table("mlspec_rows"),
            rows=readable,
            rejects=(),
            types_told={item.role.column: item.type for item in casts},
            max_rejects=float(data.get("max_rejects") or 0.0),
            marks=marks,
        )

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Tell what questions find that are asked inside, where they read files.

        Raises:
            StepError: a file is damaged, or changed meanwhile.
        """
        if self.marks is None:
            yield
            return
        with told_again(self.marks):
            yield

    @classmethod
    def of(cls, data: Mapping[str, Any], context: Context) -> Self:
        """Read a source once, as a stream, into files of typed rows, which are asked where they lie.

        Those of text are kept for later steps and runs; of anything else there is one of this step's own.

        Args:
            data: The `data` section, or as much of it as is needed to read rows.
            context: Where relative paths start, and where to spill.

        Raises:
            StepError: the source cannot be read, or a column cannot be what the spec says.
        """
        by_file = ByFile.of(data, context, one=True)
        if by_file is not None and by_file.source.parsed:
            casts, (files, lost) = by_file.casts, _by_file(by_file)
        else:
            casts, files, lost = _at_once(data, context)
        if by_file is not None:
            by_file.marks.check()
        unreadable = tuple(Reject(None, item.reason, item.rows, item.examples) for item in lost)
        connection = database(context)
        counts = view_typed(connection.con, files, casts)
        settle(connection, files)
        taken_apart = sum(counts)
        kept = _keep(connection, casts, taken_apart, data.get("sample"))
        rejects = (*unreadable, *_rejects(connection, casts))
        return cls(
            table=connection.table("mlspec_rows"),
            rows=kept + sum(item.rows for item in unreadable),
            rejects=tuple(sorted(rejects, key=lambda item: item.order)),
            types_told={item.role.column: item.type for item in casts},
            max_rejects=float(data.get("max_rejects") or 0.0),
            fingerprint=None if by_file is None else by_file.fingerprint,
            extents=counts if counts[1:] else None,
        )

    @property
    def rejected(self) -> int:
        """Number of unreadable rows."""
        return sum(item.rows for item in self.rejects)

    def check(self) -> Self:
        """Return this reading, if it has rows and not too many were unreadable.

        Raises:
            StepError: there are no rows.
            CheckFailed: more rows are unreadable than `data.max_rejects` allows.
        """
        account(self.rows, self.rejects, self.max_rejects)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the rows go: what a step does later has the memory."""
        self.table.get_backend().disconnect()

    def types(self) -> dict[str, JsonType]:
        """Return what each raw column holds; text of whole numbers or booleans only is told as such."""
        open_ = [name for name, told in self.types_told.items() if told is None]
        if here(self.table):
            return {name: told or self._held(name) for name, told in self.types_told.items()}
        asked: dict[str, ibis.Scalar] = {}
        for place, name in enumerate(open_):
            column = self.table[name]
            asked[f"c{place}"] = column.count()
            for word, pattern in (("whole", INTEGER), ("truth", BOOLEAN)):
                asked[f"{word}{place}"] = (~column.re_search(f"^{pattern}$")).sum()
        answers = self.table.aggregate(**asked).to_pyarrow().to_pylist()[0] if asked else {}
        found: dict[str, JsonType] = {}
        for place, name in enumerate(open_):
            held = answers[f"c{place}"] > 0
            whole, truth = (held and not answers[f"{word}{place}"] for word in ("whole", "truth"))
            found[name] = "integer" if whole else "boolean" if truth else "string"
        return {name: told or found[name] for name, told in self.types_told.items()}

    def _held(self, name: str) -> JsonType:
        """Return what a column of text holds: its first value that is no whole number tells most of it."""
        column = self.table[name]

        def some(others: ibis.BooleanValue) -> bool:
            return bool(self.table.filter(others).select(name).limit(1).to_pyarrow().num_rows)

        if not some(column.notnull()):
            return "string"
        if not some(~column.re_search(f"^{INTEGER}$")):
            return "integer"
        return "string" if some(~column.re_search(f"^{BOOLEAN}$")) else "boolean"


def _without_nan(nulls: Mapping[str, int], empty: Mapping[str, int]) -> frozenset[str]:
    """Return columns all of whose rows without a number hold a null."""
    return frozenset(name for name, rows in nulls.items() if empty.get(name) == rows)


def _at_once(
    data: Mapping[str, Any], context: Context
) -> tuple[tuple[Cast, ...], list[Path], tuple[Unreadable, ...]]:
    """Write the typed rows of the whole source to a file of this step's own."""
    source: Source = Slot("source").choose(freeze(data["source"]))  # type: ignore[assignment]
    marks, file = Marks.of(source, context), scratch_file(context)
    with told(marks):
        raw = source.read(context)
        casts = tuple(cast(role, raw.schema()[role.column]) for role in roles(data, raw.columns))
        connection: Any = raw.get_backend()
        with pulse(connection.con, context, marks.size, "bytes"):
            rows = typed(ibis.to_sql(raw, dialect="duckdb"), casts)
            write_typed(connection.con, f"({rows})", casts, file)
        lost = source.unreadable(raw)
    marks.check()
    connection.disconnect()
    return casts, [file], lost


def _by_file(by_file: ByFile) -> tuple[list[Path], tuple[Unreadable, ...]]:
    """Return the typed rows of all files of text as they are kept, those of new ones read now."""
    by_file.parts.tidy(by_file.used())
    with told(by_file.marks):
        parts = by_file.rows(range(len(by_file.files)))
    lost = together(by_file.lost(place, part) for place, part in parts.items())
    return [part.folder / ROWS for part in parts.values()], lost


def _keep(connection: Any, casts: Sequence[Cast], rows: int, sample: int | None) -> int:
    """Make the view of the rows that stay, and return how many were looked at."""
    chosen = f"(mlspec_row * {sample}) % {rows} < {sample}" if sample and sample < rows else "true"
    columns = ", ".join(quote(item.role.column) for item in casts)
    connection.con.execute(
        f"CREATE VIEW mlspec_rows AS SELECT mlspec_row, {columns} "
        f"FROM mlspec_typed WHERE mlspec_reject IS NULL AND {chosen}"
    )
    connection.con.execute(
        f"CREATE VIEW mlspec_left_out AS SELECT mlspec_row, mlspec_reject, mlspec_raw "
        f"FROM mlspec_typed WHERE mlspec_reject IS NOT NULL AND {chosen}"
    )
    return rows if chosen == "true" else int(sample or 0)


def _rejects(connection: Any, casts: Sequence[Cast]) -> tuple[Reject, ...]:
    why = reasons(casts)
    found = connection.con.execute(
        "SELECT mlspec_reject, max(n), list(mlspec_row ORDER BY mlspec_row), "
        "list(mlspec_raw ORDER BY mlspec_row) FROM ("
        "SELECT *, row_number() OVER (PARTITION BY mlspec_reject ORDER BY mlspec_row) AS place, "
        "count(*) OVER (PARTITION BY mlspec_reject) AS n FROM mlspec_left_out) WHERE place <= 3 "
        "GROUP BY mlspec_reject ORDER BY mlspec_reject"
    ).fetchall()
    return tuple(
        Reject(
            why[code][0],
            why[code][1],
            rows,
            tuple(reject_example(row, raw) for row, raw in zip(at, raws, strict=True)),
        )
        for code, rows, at, raws in found
    )
