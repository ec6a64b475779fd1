"""A source's files one by one: what each is read as, and the rows of those that were not read before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import ibis

from mlspec import registry
from mlspec.engine.database import database
from mlspec.engine.parts import Part, Parts, key_of
from mlspec.engine.pulse import pulse
from mlspec.engine.reading.cast import Cast, cast
from mlspec.engine.reading.file_keys import contents_of, reader_of
from mlspec.engine.reading.files import PACKED, check_files, files_of
from mlspec.engine.reading.load import typed
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.partitions import FILE
from mlspec.engine.reading.places import name_of, root_of
from mlspec.engine.reading.refusal import told
from mlspec.engine.reading.role import roles
from mlspec.engine.reading.typed_files import view_typed, write_typed
from mlspec.engine.sql import literal
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Unreadable

FORM = 3
"""Raised when what is kept of a file has another form or meaning."""
ROWS = "rows.parquet"
"""The typed rows of a file, where they are kept."""
Lost = Mapping[int, tuple[Unreadable, ...]]
"""Rows that could not be taken apart, by the place of their file."""

TOGETHER, FILES = 64 * 2**20, 128
"""Bytes of text that are brought into one table, and files that are open at once, at most: a file with more
is read alone, as a stream."""


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
    unreadable: Lost


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
    def of(cls, data: Mapping[str, Any], context: Context, *, one: bool = False) -> Self | None:
        """Look at a source's files; None where nothing of single files is kept.

        That is so for anything but several files, for a sample of the rows, and where the context names no
        folder for it.

        Args:
            data: The `data` section, or as much of it as is needed to read rows.
            context: Where relative paths start.
            one: Whether a single file counts, too, where its rows are text.

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
        if len(files) == 1 and not (one and source.parsed):
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

    def open(self, places: Sequence[int], before: int = 0, whole: int | None = None) -> Fresh:
        """Open some files, so that their rows can be asked for: once, in their order.

        Args:
            places: Theirs in the source, rising.
            before: Bytes of files that were read before them, for progress.
            whole: Bytes of all files that are read; of these where None.

        Raises:
            StepError: one cannot be read, or changed meanwhile.
        """
        if not self.source.parsed:
            backend, query, _ = self._query(places)
            backend.con.execute(f"CREATE VIEW mlspec_typed AS {query}")
            return Fresh(backend, places, {})
        parts = self.rows(places, before, whole)
        backend = database(self.context)
        view_typed(backend.con, [part.folder / ROWS for part in parts.values()], self.casts)
        return Fresh(backend, places, {place: self.lost(place, part) for place, part in parts.items()})

    def rows(self, places: Sequence[int], before: int = 0, whole: int | None = None) -> dict[int, Part]:
        """Return the typed rows of some files of text, each in a file `ROWS`: those that were not kept are
        read now, a bounded number at once, and kept.

        Args:
            places: Theirs in the source, rising.
            before: Bytes of files that were read before them, for progress.
            whole: Bytes of all files that are read; of these where None.

        Raises:
            StepError: one cannot be read, or changed meanwhile.
        """
        found = {place: self.parts.find(self._rows_key(place)) for place in places}
        missing = [place for place, part in found.items() if part is None]
        whole = self.size(missing) if whole is None else whole
        for group in self.groups(missing):
            found.update(self._read(group, before, whole))
            before += self.size(group)
        return {place: part for place, part in found.items() if part is not None}

    def _read(self, places: Sequence[int], before: int, whole: int) -> dict[int, Part]:
        """Read some files and keep their typed rows: one file as it streams by, several through a table."""
        check_files(self.source, [self.files[place] for place in places], self.context)
        backend, query, raw = self._query(places)
        told = pulse(backend.con, self.context, self.size(places), "bytes", before, whole)
        if len(places) == 1:
            with told:
                found = {places[0]: self._keep(places[0], backend, f"({query})", lambda: self._lost(raw))}
        else:
            with told:
                backend.con.execute(f"CREATE TABLE mlspec_typed AS {query}")
            lost = self._lost(raw)
            found = {
                place: self._keep(place, backend, rows, lambda: lost)
                for place, rows in self._spans(places, backend).items()
            }
        backend.disconnect()
        return found

    def _keep(self, place: int, backend: Any, rows: str, lost: Callable[[], Lost]) -> Part:
        def fill(folder: Path) -> Mapping[str, Any]:
            write_typed(backend.con, rows, self.casts, folder / ROWS)
            return {"unreadable": self.nameless(place, lost().get(place, ()))}

        return self.parts.put(self._rows_key(place), fill)

    def _spans(self, places: Sequence[int], backend: Any) -> dict[int, str]:
        """Return SQL of the rows of each of some files in their table."""
        spans = dict.fromkeys(places, "mlspec_typed WHERE false")
        for code, first, last, rows in backend.con.execute(
            "SELECT mlspec_part, min(rowid), max(rowid), count(*) FROM mlspec_typed GROUP BY mlspec_part"
        ).fetchall():
            if last - first + 1 != rows:
                raise self.mixed(places[code])
            spans[places[code]] = f"mlspec_typed WHERE rowid >= {first} AND rowid <= {last}"
        return spans

    def _lost(self, raw: ibis.Table) -> Lost:
        """Return what could not be taken apart of files that were just read, by their places."""
        lost = self.source.unreadable_by_file(raw)
        self.marks.check()
        return {place: lost[file] for place, file in enumerate(self.files) if file in lost}

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

    def lost(self, place: int, part: Part) -> tuple[Unreadable, ...]:
        """Return what could not be taken apart of a file, as it was kept beside its typed rows."""
        return self.named(place, part.about["unreadable"])

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


def _apart(kind: type[FileSource]) -> bool:
    """Return whether a class reads single files as it reads all of them: both are its own."""
    owners = [next(owner for owner in kind.__mro__ if name in vars(owner)) for name in ("read", "read_files")]
    return owners[0] is owners[1]
