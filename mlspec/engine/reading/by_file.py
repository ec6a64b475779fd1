"""A source's files one by one: what each is read as, and the rows of those that were not read before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import ibis

from mlspec import registry
from mlspec.engine.parts import Parts, key_of
from mlspec.engine.pulse import pulse
from mlspec.engine.reading.cast import Cast, cast
from mlspec.engine.reading.file_keys import contents_of, reader_of
from mlspec.engine.reading.files import PACKED, files_of
from mlspec.engine.reading.load import typed
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.partitions import FILE
from mlspec.engine.reading.places import name_of, root_of
from mlspec.engine.reading.refusal import told
from mlspec.engine.reading.role import roles
from mlspec.engine.sql import literal
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Unreadable

FORM = 2
"""Raised when what is kept of a file has another form or meaning."""


TOGETHER, FILES = 64 * 2**20, 128
"""Bytes of text that are brought into one table, and files that are open at once, at most: a file with more
has a table of its own."""


@dataclass(frozen=True)
class Fresh:
    """Some files' typed rows as `mlspec_typed` of a database, in the order of the files.

    It has `mlspec_part`, the place of a row's file among `places`, and `mlspec_reject` and `mlspec_raw` of
    rows that cannot be read.
    """

    backend: Any
    """The database, as Ibis has it."""
    places: Sequence[int]
    """Of the files in the source, rising."""
    spans: Mapping[int, tuple[int, int]]
    """By the place of a file: its first row in the table, and how many it has. Empty where no table was made,
    and the files are read when rows are asked for."""
    unreadable: Mapping[int, tuple[Unreadable, ...]]
    """Rows that could not be taken apart, by the place of their file."""


@dataclass(frozen=True)
class ByFile:
    """The local files of a source, each under a key of all that decides how its rows are read."""

    source: FileSource
    context: Context
    files: tuple[Path, ...]
    names: tuple[str, ...]
    """What outputs and messages call them."""
    keys: tuple[str, ...]
    casts: tuple[Cast, ...]
    """How each column is read."""
    fingerprint: Mapping[str, Any]
    """Of the source, taken before anything was read."""
    marks: Marks

    @classmethod
    def of(cls, data: Mapping[str, Any], context: Context) -> Self | None:
        """Look at a source's files; None where nothing of single files is kept.

        That is so for anything but several files, for a sample of the rows, and where the context names no
        folder for it.

        Args:
            data: The `data` section, or as much of it as is needed to read rows.
            context: Where relative paths start.

        Raises:
            MissingError: there is no file.
            StepError: the files do not fit together, or a column cannot be what the spec says.
        """
        source = Slot("source").choose(freeze(data["source"]))
        if context.parts is None or data.get("sample") or not isinstance(source, FileSource):
            return None
        if registry.file("source", source.kind) is None or source.keeps or not _apart(type(source)):
            return None
        files = files_of(source, context)
        if len(files) == 1:
            return None
        marks = Marks.of(source, context)
        fingerprint = source.fingerprint(context)
        with told(marks):
            source.columns(context)
            raw = source.read_files(files[:1], context)
            if raw is None:
                return None
            schema = raw.drop(FILE).schema()
            zone = raw.get_backend().con.execute("SELECT current_setting('TimeZone')").fetchone()
            raw.get_backend().disconnect()
        casts = tuple(cast(role, schema[role.column]) for role in roles(data, tuple(schema.names)))
        root = root_of(source.path, context)
        common = [FORM, *reader_of(source), zone, [asdict(item) for item in casts]]
        common += [[name, str(kind)] for name, kind in schema.items()]
        keys = tuple(key_of([common, content]) for content in contents_of(source, fingerprint, context))
        names = tuple(name_of(file, context, root) for file in files)
        return cls(source, context, files, names, keys, casts, fingerprint, marks)

    @property
    def parts(self) -> Parts:
        """Return where what is made of a file is kept."""
        assert self.context.parts is not None
        return Parts(self.context.parts)

    def groups(self, places: Sequence[int]) -> Iterator[list[int]]:
        """Yield the places of files that are read together: a bounded number, and of text bounded bytes.

        Args:
            places: Theirs in the source, rising.
        """
        group: list[int] = []
        size = 0
        for place in places:
            file = self.files[place]
            more = self.size([place]) * (PACKED if file.suffix in (".gz", ".zst") else 1)
            if group and (len(group) == FILES or (self.source.parsed and size + more > TOGETHER)):
                yield group
                group, size = [], 0
            group.append(place)
            size += more
        if group:
            yield group

    def size(self, places: Sequence[int]) -> int:
        """Return the bytes of some files."""
        return sum(self.marks.files[self.files[place]][2] for place in places)

    def open(self, places: Sequence[int]) -> Fresh:
        """Open some files, so that their rows can be asked for: once, in their order.

        Args:
            places: Theirs in the source, rising.

        Raises:
            StepError: one cannot be read, or changed meanwhile.
        """
        if self.source.parsed:
            return self.read(places)
        backend, query, _ = self._query(places)
        backend.con.execute(f"CREATE VIEW mlspec_typed AS {query}")
        return Fresh(backend, places, {}, {})

    def read(self, places: Sequence[int]) -> Fresh:
        """Read some files into a table.

        Args:
            places: Theirs in the source, rising.

        Raises:
            StepError: one cannot be read, or changed meanwhile.
        """
        backend, query, raw = self._query(places)
        with pulse(backend.con, self.context, self.size(places), "bytes"):
            backend.con.execute(f"CREATE TABLE mlspec_typed AS {query}")
        lost = self.source.unreadable_by_file(raw)
        self.marks.check()
        spans = dict.fromkeys(places, (0, 0))
        for code, first, last, rows in backend.con.execute(
            "SELECT mlspec_part, min(rowid), max(rowid), count(*) FROM mlspec_typed GROUP BY mlspec_part"
        ).fetchall():
            if last - first + 1 != rows:
                raise self.mixed(places[code])
            spans[places[code]] = (first, rows)
        at = {self.files[place]: place for place in places}
        return Fresh(backend, places, spans, {at[file]: found for file, found in lost.items()})

    def _query(self, places: Sequence[int]) -> tuple[Any, str, ibis.Table]:
        """Return a database, the query of typed rows of some files in it, and their raw rows."""
        chosen = [self.files[place] for place in places]
        raw = self.source.read_files(chosen, self.context)
        assert raw is not None
        backend = raw.get_backend()
        listed = ", ".join(literal(str(file)) for file in chosen)
        backend.con.execute(f"CREATE TYPE mlspec_files AS ENUM ({listed})")
        part = f"enum_code(CAST({FILE} AS mlspec_files)) AS mlspec_part"
        return backend, typed(ibis.to_sql(raw, dialect="duckdb"), self.casts, part), raw

    def mixed(self, place: int) -> StepError:
        """Return the fault of a file whose rows do not come one after the other."""
        what = f"the rows of '{self.names[place]}' came between those of other files"
        return StepError(what, where="data.source")

    def check(self, place: int) -> None:
        """Refuse a file that became another meanwhile.

        Raises:
            StepError: it changed or went.
        """
        self.marks.check([self.files[place]])

    def keep(self, fresh: Fresh) -> None:
        """Keep the typed rows of files that were just read, where reading them was work."""
        if not self.source.parsed:
            return
        for place, (first, rows) in fresh.spans.items():
            self.parts.put(self._rows_key(place), _Writer(self, fresh, place, first, rows))

    def missing(self) -> list[int]:
        """Return the places of files whose typed rows were not kept."""
        return [place for place in range(len(self.files)) if self.parts.find(self._rows_key(place)) is None]

    def kept_rows(self) -> tuple[list[Path], tuple[tuple[Unreadable, ...], ...]]:
        """Return files of typed rows, all of which are there, and what was lost of each."""
        found, lost = [], []
        for place in range(len(self.files)):
            part = self.parts.find(self._rows_key(place))
            assert part is not None
            found.append(part.folder / "rows.parquet")
            lost.append(self.named(place, part.about["unreadable"]))
        return found, tuple(lost)

    def used(self) -> Collection[str]:
        """Return the keys of typed rows."""
        return {self._rows_key(place) for place in range(len(self.files))}

    def _rows_key(self, place: int) -> str:
        return key_of(["rows", self.keys[place]])

    def nameless(self, place: int, lost: Sequence[Unreadable]) -> list[Any]:
        """Return lost rows as JSON data without the name of their file, which may become another."""
        name = self.names[place]
        return [
            [item.reason, item.rows, [text.removeprefix(name) for text in item.examples]] for item in lost
        ]

    def named(self, place: int, lost: Sequence[Any]) -> tuple[Unreadable, ...]:
        """Return lost rows from JSON data."""
        return tuple(
            Unreadable(reason, rows, tuple(self.names[place] + text for text in texts))
            for reason, rows, texts in lost
        )


@dataclass(frozen=True)
class _Writer:
    """Writes the typed rows of a file."""

    by_file: ByFile
    fresh: Fresh
    place: int
    first: int
    rows: int

    def __call__(self, folder: Path) -> Mapping[str, Any]:
        target = literal(str(folder / "rows.parquet"))
        self.fresh.backend.con.execute(
            f"COPY (SELECT * EXCLUDE (mlspec_part) FROM mlspec_typed WHERE rowid >= {self.first} "
            f"AND rowid < {self.first + self.rows}) TO {target} (FORMAT parquet, COMPRESSION lz4_raw)"
        )
        lost = self.fresh.unreadable.get(self.place, ())
        return {"unreadable": self.by_file.nameless(self.place, lost)}


def _apart(kind: type[FileSource]) -> bool:
    """Return whether a class reads single files as it reads all of them: both are its own."""
    owners = [next(owner for owner in kind.__mro__ if name in vars(owner)) for name in ("read", "read_files")]
    return owners[0] is owners[1]
