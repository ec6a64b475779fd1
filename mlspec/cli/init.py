"""`mlspec init`: a first spec."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli.arguments import DEFAULT_SPEC, add_json
from mlspec.cli.console import emit, stderr, stdout

if TYPE_CHECKING:
    import ibis

    from mlspec.sdk.context import Context
    from mlspec.sdk.source import Source

SUMMARY = "write a first spec.yaml: from data, from an example, or empty"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument(
        "where", nargs="?", default=".", help="the folder where spec.yaml is written, or a .yaml file"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--from",
        dest="data",
        metavar="FILE",
        help="a CSV, JSON lines, Parquet or Arrow file, a folder of them, or their URL (s3://...); a SQLite "
        "or DuckDB file, or a database server: '${oc.env:DATABASE_URL}'",
    )
    what.add_argument(
        "--example",
        metavar="NAME",
        help="a whole example (breast_cancer, diabetes, wine), or another table of scikit-learn's",
    )
    parser.add_argument(
        "--table", metavar="TABLE", help="the table of a database, with its schema: sales.orders"
    )
    parser.add_argument("--target", metavar="COLUMN", help="what is predicted (guessed where absent)")
    parser.add_argument("--name", help="the model's name (the file's where absent)")
    add_json(parser)


def init(arguments: argparse.Namespace) -> int:
    """Write a spec and the schema for editors; nothing that is there is overwritten.

    Raises:
        UsageError: there is a spec already, or the file's kind is unknown.
    """
    from mlspec.cli._first_spec import empty_text
    from mlspec.errors import UsageError

    where = Path(arguments.where)
    named = where.suffix in (".yaml", ".yml") and not where.is_dir()
    folder, file = (where.parent, where) if named else (where, where / DEFAULT_SPEC)
    if file.exists():
        raise UsageError(f"'{file}' is there already", fix="name another file or folder, or edit it")
    reasons: dict[str, str] = {}
    if arguments.data is None and arguments.example is None:
        for option in ("target", "table"):
            if getattr(arguments, option):
                raise UsageError(f"--{option} needs the data", fix="add --from FILE")
        text = empty_text(_name(arguments.name or "my_model"))
    elif arguments.example in examples() and arguments.target is None:
        text = _example(arguments.example, arguments.name)
    else:
        text, reasons = _proposed(arguments, folder)
    _write(file, text)
    if arguments.json:
        emit({"written": str(file), "columns": reasons})
        return 0
    for column, reason in reasons.items():
        stderr().print(f"  {column}: {reason}")
    stdout().print(f"{file}: written")
    name = f" {file}" if named and file != Path(DEFAULT_SPEC) else ""
    stderr().print(f"next: read it, change what is wrong, then `mlspec plan{name}` and `mlspec run{name}`")
    return 0


def examples() -> tuple[str, ...]:
    """Return the examples that come with mlspec, sorted."""
    return tuple(sorted(file.parent.name for file in _examples().glob("*/spec.yaml")))


def _examples() -> Path:
    """Return their folder: in a wheel beside the code, else in the checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "examples"
    return inside if inside.is_dir() else package.parent / "examples"


def _example(example: str, name: str | None) -> str:
    """Return an example's text with the editor's line, and perhaps another name."""
    from mlspec.cli._first_spec import EDITOR

    text = (_examples() / example / "spec.yaml").read_text("utf-8")
    if name is not None:
        text = re.sub(r"(?m)^name: *[a-z0-9_]+", f"name: {_name(name)}", text, count=1)
    return text if text.startswith(EDITOR) else f"{EDITOR}\n{text}"


def _write(file: Path, text: str) -> None:
    """Write the spec, and beside it the schema that its first line names."""
    import json

    from mlspec.engine.files import write_bytes
    from mlspec.spec.schema import schema

    file.parent.mkdir(parents=True, exist_ok=True)
    place = file.parent / ".mlspec" / "spec.schema.json"
    write_bytes(place, (json.dumps(schema(), indent=2, ensure_ascii=False) + "\n").encode())
    write_bytes(file, text.encode())


def _proposed(arguments: argparse.Namespace, folder: Path) -> tuple[str, dict[str, str]]:
    import tempfile

    from mlspec.sdk.context import Context
    from mlspec.spec.needs import check_needs

    source, options, stem = _source(arguments, folder)
    check_needs([source])
    with tempfile.TemporaryDirectory(prefix="mlspec-") as scratch:
        # Paths of files here are absolute: the folder of the spec need not be there yet.
        context = Context(Path.cwd(), scratch=Path(scratch), say=stderr().print)
        return _guessed(source, options, _name(arguments.name or stem), arguments.target, context)


def _guessed(
    source: Source, options: dict[str, Any], name: str, asked: str | None, context: Context
) -> tuple[str, dict[str, str]]:
    """Return a spec of what is seen in data, and what was seen of each column.

    Args:
        source: The data.
        options: Its options, as they stand in the spec.
        name: The model's.
        asked: The target's column; guessed where it is absent.
        context: Where the data is read.
    """
    from mlspec.cli._first_spec import proposed_text
    from mlspec.engine.checking.proposal import first_rows, proposal
    from mlspec.errors import UsageError

    columns = source.columns(context)
    if asked is not None and asked not in columns:
        raise UsageError(f"the data has no column '{asked}'", fix=f"one of {', '.join(columns)}")
    rows = first_rows(source, context, ordered=False)
    found = proposal(rows)
    kind = found.target_kind
    if asked is not None and asked != found.target:
        # Asked for what it would be as the only candidate.
        kind = proposal(rows, {"ignore": [column for column in columns if column != asked]}).target_kind
        found = proposal(rows, {"target": {"column": asked}})
    target = asked or found.target
    if target is None or kind is None:
        fix = "name it: --target COLUMN" if asked is None else "name a column with two values or more"
        raise UsageError("no column looks like what is to be predicted", fix=fix)
    positive = _rarer(rows, target) if kind == "binary" else None
    reasons = {guess.column: f"{guess.kind or 'ignored'}: {guess.reason}" for guess in found.guesses}
    why = f" ({found.target_reason})" if asked is None and found.target_reason else ""
    doubts = [f"guessed: {found.target_reason}; another one: --target COLUMN"] if why else []
    doubts += [f"the rarer of the two values, {positive}, counts as positive"] if positive is not None else []
    count = int(rows.count().to_pyarrow().as_py())
    text = proposed_text(name, options, found, (target, kind, positive), doubts, count)
    return text, {target: f"target{why}", **reasons}


def _source(arguments: argparse.Namespace, folder: Path) -> tuple[Source, dict[str, Any], str]:
    """Return the source, its options as they stand in the spec, and a name for the model."""
    from pydantic import ValidationError

    from mlspec.cli._options_of import options_of
    from mlspec.cli._options_of_database import is_database, options_of_database
    from mlspec.errors import UsageError
    from mlspec.sdk.slot import Slot

    options: dict[str, Any]
    if arguments.example is not None:
        options, stem = {"kind": "sample", "name": arguments.example}, arguments.example
    elif is_database(arguments.data):
        options = options_of_database(arguments.data, arguments.table, folder)
        stem = options["table"].rpartition(".")[2]
    else:
        if arguments.table is not None:
            raise UsageError("--table is for a database, and --from names files", fix="leave --table out")
        options, stem = options_of(arguments.data, folder)
    # What is read now need not lie where the spec's folder will be.
    here = "path" in options and "://" not in options["path"]
    absolute = {"path": str(Path(arguments.data).resolve())} if here else {}
    try:
        source: Any = Slot("source").choose({**options, **absolute})
    except ValidationError as fault:
        if arguments.example is None:
            what = "; ".join(
                f"{item['loc'][-1]}: {item['msg']}" for item in fault.errors(include_input=False)
            )
            raise UsageError(f"no source can be made of it: {what}") from None
        names = ", ".join(sorted({*examples(), "breast_cancer", "diabetes", "digits", "iris", "wine"}))
        raise UsageError(f"there is no example '{arguments.example}'", fix=f"one of {names}") from fault
    return source, options, stem


def _rarer(rows: ibis.Table, column: str) -> str | None:
    """Return the rarer of two values, as text: what one looks for is seldom what is common."""
    import ibis

    values = rows.filter(rows[column].notnull()).group_by(column)
    counted = values.aggregate(rows=lambda found: found.count())
    rarest = counted.order_by([ibis.asc("rows"), ibis.asc(column)]).limit(2)
    ordered = rarest.to_pyarrow().column(column).to_pylist()
    words = {str(value).lower() for value in ordered}
    if words in ({"true", "false"}, {"0", "1"}):
        return None
    return str(ordered[0])


def _name(text: str) -> str:
    """Return a legal name that is like a text.

    Example:
        >>> _name("2024 Sales-Data")
        'm_2024_sales_data'
    """
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "my_model"
    return name if name[0].isalpha() else f"m_{name}"
