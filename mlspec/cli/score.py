"""`mlspec score`: answers for the rows of a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli.arguments import DEFAULT_SPEC, add_spec, spec_of
from mlspec.errors import MissingError, UsageError

if TYPE_CHECKING:
    from mlspec.sdk.source import Source
    from mlspec.spec.spec import Spec

SUMMARY = "score a file with the exported model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument(
        "source", metavar="SOURCE", help="a CSV, JSON lines, Parquet or Arrow file, a glob or a folder"
    )
    add_spec(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="-",
        help="a .parquet or .csv file; - (the default) is CSV on stdout",
    )
    parser.add_argument("--kind", metavar="KIND", help="the source's kind, where its suffix does not say it")
    parser.add_argument("--delimiter", metavar="SIGN", help="of a CSV file, where it is not the spec's")
    parser.add_argument(
        "--null",
        metavar="TEXT",
        action="append",
        help='a text of a CSV file that means "no value" (repeatable)',
    )
    parser.add_argument("--encoding", metavar="NAME", help="of a CSV file: utf-8, latin-1 or utf-16")
    parser.add_argument(
        "--export", metavar="NAME", default="main", help="which export of the spec (default main)"
    )
    parser.add_argument(
        "--keep",
        metavar="COLUMN",
        action="append",
        default=[],
        help="carry a column along (repeatable; '*' for all)",
    )
    parser.add_argument(
        "--rejects", metavar="FILE", help="write rows that cannot be scored to this CSV file, and go on"
    )
    parser.add_argument("--stale", action="store_true", help="take a model that is older than the plan")


def score(arguments: argparse.Namespace) -> int:
    """Score a file; the answers are whole or not there at all."""
    import tempfile

    output = None if arguments.output == "-" else Path(arguments.output)
    form = _form(output)
    model, spec = _model(arguments)
    with tempfile.TemporaryDirectory(prefix="mlspec-score-") as scratch:
        from mlspec.cli._count import Count
        from mlspec.engine.scoring.score_file import Wanted, score_file
        from mlspec.engine.scoring.scorer import Scorer
        from mlspec.sdk.context import Context

        scorer = Scorer(model)
        source = _source(arguments, spec)
        with Count() as count:
            context = Context(
                workspace=Path.cwd(), step="score", scratch=Path(scratch), progress=count.progressed
            )
            keep = _keep(arguments.keep, source, spec, context)
            rejects = None if arguments.rejects is None else Path(arguments.rejects)
            done = score_file(scorer, Wanted(source, output, form, keep, rejects), context)
    _tell(arguments, done.rows, done.rejected, scorer.contract.model_version)
    return 0


def _form(output: Path | None) -> Any:
    suffix = ".csv" if output is None else output.suffix
    if suffix not in (".csv", ".parquet", ".pq"):
        raise UsageError(f"'{output}' says no form that answers can have", fix="end it in .parquet or .csv")
    return "csv" if suffix == ".csv" else "parquet"


def _model(arguments: argparse.Namespace) -> tuple[Path, Spec | None]:
    """Return the file that answers, and the spec that it was made by, where that is known."""
    first = Path(arguments.words[0]) if arguments.words else Path(DEFAULT_SPEC)
    file = first / "model.onnx" if first.is_dir() and not (first / DEFAULT_SPEC).is_file() else first
    if file.suffix == ".onnx":
        if arguments.words[1:]:
            raise UsageError(f"'{arguments.words[1]}' changes a spec, and '{first}' is a model")
        if not file.is_file():
            raise MissingError(
                f"there is no model file '{file}'", fix="name a spec, a package's folder or a .onnx file"
            )
        from mlspec.engine.graph.vet import vet

        vet(file)
        return file, None
    from mlspec.run.exported import exported

    path, overrides, overlays = spec_of(arguments)
    found = exported(path, overrides, overlays, export=arguments.export, stale=arguments.stale)
    if arguments.stale:
        from mlspec.engine.graph.vet import vet

        vet(found.model)  # no lock speaks for it
    return found.model, found.spec


def _source(arguments: argparse.Namespace, spec: Spec | None) -> Source:
    """Return the source, read as the spec reads its own where both are of one kind."""
    from pydantic import ValidationError

    from mlspec import registry
    from mlspec.engine.reading.kind_of import kind_of
    from mlspec.sdk.slot import Slot
    from mlspec.sdk.source import Source

    kind = arguments.kind or kind_of(arguments.source)
    files = "--kind csv, json, parquet or arrow"
    if kind is None:
        raise UsageError(f"'{arguments.source}' does not say what it holds", fix=f"name it: {files}")
    if kind not in registry.kinds("source") or "path" not in registry.find("source", kind).model_fields:
        raise UsageError(f"no source of files is called '{kind}'", fix=files)
    options: dict[str, Any] = {"delimiter": "\t"} if ".tsv" in arguments.source.lower() else {}
    if spec is not None and spec.data.source.kind == kind:
        options |= dict(spec.data.source)
    said = {"delimiter": arguments.delimiter, "nulls": arguments.null and tuple(arguments.null)}
    said["encoding"] = arguments.encoding
    options |= {name: value for name, value in said.items() if value is not None}
    try:
        source = Slot("source").choose(options | {"kind": kind, "path": arguments.source})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"a {kind} file cannot be read with '{where}': {first['msg']}") from error
    assert isinstance(source, Source)
    return _with_folders(source)


def _with_folders(source: Source) -> Source:
    """Return a source of files that reads its folders as columns where they are named so: here a column too
    many does no harm.
    """
    from mlspec.engine.reading.files import files_of
    from mlspec.engine.reading.partitions import are_columns
    from mlspec.sdk.context import Context
    from mlspec.sdk.file_source import FileSource

    if not isinstance(source, FileSource):
        return source
    context = Context(workspace=Path.cwd())
    return source.model_copy(update={"hive": are_columns(source.path, files_of(source, context), context)})


def _keep(named: list[str], source: Source, spec: Spec | None, context: Any) -> tuple[str, ...]:
    columns = source.columns(context)
    keys = [] if spec is None else [name for name in spec.data.key if name in columns]
    keep = tuple(dict.fromkeys([*keys, *(columns if "*" in named else named)]))
    missing = [name for name in keep if name not in columns]
    if missing:
        raise UsageError(
            f"'{missing[0]}' is no column of the source", fix=f"one of {', '.join(columns[:20])}"
        )
    return keep


def _tell(arguments: argparse.Namespace, rows: int, rejected: int, version: str) -> None:
    from mlspec.cli.console import emit, stderr

    if arguments.json and arguments.output != "-":
        emit({"rows": rows, "rejected": rejected, "output": arguments.output, "model_version": version})
        return
    apart = f", {rejected:,} rows to {arguments.rejects}" if rejected else ""
    place = "" if arguments.output == "-" else f" to {arguments.output}"
    stderr().print(f"{rows:,} rows scored{place}{apart}  (model {version})")
