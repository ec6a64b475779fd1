"""`mlspec init`: a first spec."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli.arguments import DEFAULT_SPEC, add_json
from mlspec.cli.console import emit, stderr, stdout

if TYPE_CHECKING:
    from mlspec.engine.checking.proposal import Proposal
    from mlspec.sdk.source import Source

SUMMARY = "write a first spec.yaml: from a data file, from an example, or empty"
EDITOR = "# yaml-language-server: $schema=.mlspec/spec.schema.json"
"""The line by which editors find the language."""
FEW = 5_000
"""Rows below which batches are small and epochs many."""


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
        help="a CSV, JSON lines, Parquet or Arrow file, or a folder of them",
    )
    what.add_argument(
        "--example",
        metavar="NAME",
        help="a whole example (breast_cancer, diabetes, wine), or another table of scikit-learn's",
    )
    parser.add_argument("--target", metavar="COLUMN", help="what is predicted (guessed where absent)")
    parser.add_argument("--name", help="the model's name (the file's where absent)")
    add_json(parser)


def init(arguments: argparse.Namespace) -> int:
    """Write a spec and the schema for editors; nothing that is there is overwritten.

    Raises:
        UsageError: there is a spec already, or the file's kind is unknown.
    """
    from mlspec.errors import UsageError

    where = Path(arguments.where)
    named = where.suffix in (".yaml", ".yml") and not where.is_dir()
    folder, file = (where.parent, where) if named else (where, where / DEFAULT_SPEC)
    if file.exists():
        raise UsageError(f"'{file}' is there already", fix="name another file or folder, or edit it")
    reasons: dict[str, str] = {}
    if arguments.data is None and arguments.example is None:
        if arguments.target:
            raise UsageError("--target needs the data", fix="add --from FILE")
        text = _empty(_name(arguments.name or "my_model"))
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
    from mlspec.engine.checking.proposal import proposal
    from mlspec.errors import UsageError
    from mlspec.sdk.context import Context
    from mlspec.spec.needs import check_needs

    source, described, stem = _source(arguments, folder)
    check_needs([source])
    context = Context(workspace=folder.resolve(), say=stderr().print)
    columns = source.columns(context)
    target = arguments.target
    if target is not None and target not in columns:
        raise UsageError(f"the data has no column '{target}'", fix=f"one of {', '.join(columns)}")
    found = proposal(source, context)
    kind = found.target_kind
    if target is not None and target != found.target:
        # Asked for what it would be as the only candidate.
        others = [column for column in columns if column != target]
        kind = proposal(source, context, {"ignore": others}).target_kind
        found = proposal(source, context, {"target": {"column": target}})
    target = target or found.target
    if target is None or kind is None:
        fix = (
            "name it: --target COLUMN"
            if arguments.target is None
            else "name a column with two values or more"
        )
        raise UsageError("no column looks like what is to be predicted", fix=fix)
    positive = _rarer(source, context, target) if kind == "binary" else None
    name = _name(arguments.name or stem)
    reasons = {guess.column: f"{guess.kind or 'ignored'}: {guess.reason}" for guess in found.guesses}
    why = f" ({found.target_reason})" if arguments.target is None and found.target_reason else ""
    doubts = [f"guessed: {found.target_reason}; another one: --target COLUMN"] if why else []
    doubts += [f"the rarer of the two values, {positive}, counts as positive"] if positive is not None else []
    text = _text(name, described, found, (target, kind, positive), doubts, _few(source, context))
    return text, {target: f"target{why}", **reasons}


def _source(arguments: argparse.Namespace, folder: Path) -> tuple[Source, str, str]:
    """Return the source, how it is written in YAML, and a name for the model."""
    from mlspec.cli._options_of import options_of
    from mlspec.errors import UsageError
    from mlspec.plan.scalar import scalar
    from mlspec.sdk.slot import Slot

    options: dict[str, Any]
    if arguments.example is not None:
        from pydantic import ValidationError

        options, stem = {"kind": "sample", "name": arguments.example}, arguments.example
        try:
            Slot("source").choose(options)
        except ValidationError as fault:
            names = ", ".join(sorted({*examples(), "breast_cancer", "diabetes", "digits", "iris", "wine"}))
            raise UsageError(f"there is no example '{arguments.example}'", fix=f"one of {names}") from fault
    else:
        options, stem = options_of(Path(arguments.data), folder)
    # What is read now need not lie where the spec's folder will be.
    absolute = {"path": str(Path(arguments.data).resolve())} if arguments.data is not None else {}
    source: Any = Slot("source").choose({**options, **absolute})
    return source, "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in options.items()) + "}", stem


def _rarer(source: Source, context: Any, column: str) -> str | None:
    """Return the rarer of two values, as text: what one looks for is seldom what is common."""
    import ibis

    from mlspec.engine.reading.marks import Marks
    from mlspec.engine.reading.refusal import told

    with told(Marks.of(source, context)):
        table = source.read(context)
        values = table.filter(table[column].notnull()).group_by(column)
        counted = values.aggregate(rows=lambda found: found.count())
        rarest = counted.order_by([ibis.asc("rows"), ibis.asc(column)]).limit(2)
        ordered = rarest.to_pyarrow().column(column).to_pylist()
    words = {str(value).lower() for value in ordered}
    if words in ({"true", "false"}, {"0", "1"}):
        return None
    return str(ordered[0])


def _few(source: Source, context: Any) -> bool:
    """Return whether there are so few rows that large batches would make hardly a step an epoch."""
    from mlspec.engine.reading.marks import Marks
    from mlspec.engine.reading.refusal import told

    with told(Marks.of(source, context)):
        return int(source.read(context).limit(FEW).count().to_pyarrow().as_py()) < FEW


def _name(text: str) -> str:
    """Return a legal name that is like a text.

    Example:
        >>> _name("2024 Sales-Data")
        'm_2024_sales_data'
    """
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "my_model"
    return name if name[0].isalpha() else f"m_{name}"


def _text(
    name: str,
    source: str,
    found: Proposal,
    target: tuple[str, str, str | None],
    doubts: list[str],
    few: bool,
) -> str:
    from mlspec.plan.scalar import scalar

    column, kind, positive = target
    told = f", positive: {scalar(positive)}" if positive is not None else ""
    used = [guess for guess in found.guesses if guess.kind is not None]
    left_out = [(scalar(guess.column), guess.reason) for guess in found.guesses if guess.kind is None]
    width = max((len(scalar(guess.column)) for guess in used), default=0)
    features = []
    for guess in used:
        options = "".join(f", {key}: {scalar(value)}" for key, value in guess.options)
        value = f"{{kind: {guess.kind}{options}}}" if options else str(guess.kind)
        features.append(f"    {scalar(guess.column) + ':':<{width + 1}} {value:<10}  # {guess.reason}")
    longest = max((len(name) for name, _ in left_out), default=0)
    ignored = "".join(f"    - {name:<{longest}}  # {reason}\n" for name, reason in left_out)
    ignored = f"  ignore:  # read, and used for nothing\n{ignored}" if ignored else ""
    doubt = "".join(f"  # {line}\n" for line in doubts)
    metric = {
        "binary": "auroc, at_least: 0.8",
        "category": "accuracy, at_least: 0.8",
        "number": "r2, at_least: 0.3",
    }
    return f"""\
{EDITOR}
apiVersion: mlspec/v1
name: {name}
seed: 7

data:
  source: {source}
{doubt}  target: {{column: {scalar(column)}, kind: {kind}{told}}}
{ignored}  features:  # number, category, binary, datetime; `mlspec plugins feature number` tells the options
{chr(10).join(features)}
  split: {{kind: random, train: 0.7, val: 0.1, test: 0.2}}

validation:
  # Types and values are held against contracts/{name}.yaml (the first run writes it). More can be asked here:
  rules: []
  #  - {{kind: not_null, columns: [{scalar(column)}]}}

model: {{kind: mlp, hidden: [64, 64]}}  # or linear, gradient_boosting

training:
  epochs: {f"200  # at most: there are fewer than {FEW:,} rows" if few else 20}
  batch_size: {32 if few else 256}
  optimizer: {{kind: adamw, lr: 0.001}}
  early_stopping: {{metric: {"log_loss" if kind != "number" else "rmse"}, patience: {20 if few else 5}}}

evaluation:
  gates: []  # what must hold before anything is packaged
  #  - {{metric: {metric[kind]}}}

deployments:
  online: {{kind: rest, export: main}}
"""


def _empty(name: str) -> str:
    return f"""\
{EDITOR}
apiVersion: mlspec/v1
name: {name}
seed: 7

data:
  source: {{kind: csv, path: data.csv}}  # `mlspec plugins source` tells the others
  target: {{column: my_target, kind: binary}}  # binary, category or number
  features: auto  # or each column with its kind: `age: number`
  split: {{kind: random, train: 0.7, val: 0.1, test: 0.2}}

model: {{kind: mlp, hidden: [64, 64]}}  # or linear, gradient_boosting

training:
  epochs: 20
  batch_size: 256
  optimizer: {{kind: adamw, lr: 0.001}}

deployments:
  online: {{kind: rest, export: main}}
"""
