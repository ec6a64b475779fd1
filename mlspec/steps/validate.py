"""Hold the data against its contract and the spec's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ibis

from mlspec.engine.ask import here
from mlspec.engine.checking.contract_checks import ContractCheck, contract_checks
from mlspec.engine.checking.contract_file import read_contract
from mlspec.engine.checking.fault_table import fault_table
from mlspec.engine.files import read_json, write_bytes, write_json
from mlspec.engine.graph.moments import first
from mlspec.engine.plain_value import plain_value
from mlspec.engine.pulse import pulse
from mlspec.engine.pushdown.open_reading import open_reading
from mlspec.engine.reading.condition import condition
from mlspec.errors import CheckFailed, MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.rule import Rule
from mlspec.sdk.slot import Slot

EXAMPLES = 5
"""Rows that are shown of each fault."""
PASSED = b"passed\n"
"""The same bytes each time: later steps depend on this file, and a new warning moves nothing."""


@dataclass(frozen=True)
class _Check:
    """What was found of one rule or one line of the contract."""

    id: str
    severity: str
    passed: bool
    rows: int
    failing: int
    text: str
    examples: Sequence[Mapping[str, Any]] = ()


def validate(
    parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context
) -> None:
    """Write `report.json` with every check, and `passed` where no error was found.

    Args:
        parameters: `data` as `ingest` has it, and `validation`: the contract's path and the rules.
        inputs: `ingest`.
        output: An empty folder.
        context: Where the step works.

    Raises:
        MissingError: there is no contract file.
        CheckFailed: an error-level check failed; the report is written then.
    """
    data, validation = parameters["data"], parameters["validation"]
    name = validation["contract"]
    file = Path(context.resolve(name))
    if not file.is_file():
        raise MissingError(
            f"there is no contract file '{name}'",
            where="validation.contract",
            fix="mlspec run writes a first one, to be reviewed",
        )
    contract = read_contract(file, name)
    rules = tuple(Slot("rule").choose(freeze(rule)) for rule in validation.get("rules") or ())
    manifest = read_json(inputs["ingest"] / "manifest.json")
    statistics = read_json(inputs["ingest"] / "statistics.json")
    reading = open_reading(data, inputs["ingest"], manifest, context, statistics)
    keys = tuple(data.get("key") or ())
    with pulse(reading.table.get_backend().con, context, reading.rows, "rows"), reading.asking():
        types = {name: manifest["columns"][name] for name in reading.types_told}
        demands = tuple(contract_checks(contract, reading.table, types))
        checks = [*_checked(demands, rules, reading.table, keys)]  # type: ignore[arg-type]
    reading.close()
    failed = [check for check in checks if not check.passed and check.severity == "error"]
    report = {
        "passed": not failed,
        "rows": reading.rows - reading.rejected,
        "rejected": reading.rejected,
        "checks": [asdict(check) | {"examples": list(check.examples)} for check in checks],
    }
    write_json(output / "report.json", report)
    if failed:
        raise CheckFailed(
            f"the data fails {len(failed)} check{'s' if len(failed) > 1 else ''}:\n{fault_table(report)}",
            where="validate",
            fix=f"mend the data, or change '{name}' or validation.rules",
        )
    if any(not check.passed for check in checks):
        context.say(f"the data passes with warnings:\n{fault_table(report)}")
    write_bytes(output / "passed", PASSED)


def _checked(
    demands: Sequence[ContractCheck], rules: Sequence[Rule], table: ibis.Table, keys: Sequence[str]
) -> Iterator[_Check]:
    """Judge contract and rules: one query for all rows, one for each `where`, one for each fault's rows."""
    _distinct_names(rules)
    looked: dict[str | None, ibis.Table] = {None: table}
    for rule in rules:
        if rule.where not in looked:
            looked[rule.where] = table.filter(condition(table, rule.where)) if rule.where else table
    found: dict[str, Any] = {}
    for where, rows in looked.items():
        asked = _of_contract(demands, table) if where is None else {}
        for place, rule in enumerate(rules):
            if rule.where == where:
                mine = rule.aggregates(rows)
                _suits(rule, rows, mine)
                asked |= {f"{place}.{key}": value for key, value in mine.items()}
        found |= first(rows, asked)
    yield from _contract(demands, found, table, keys)
    for place, rule in enumerate(rules):
        own = {
            key.partition(".")[2]: value
            for key, value in found.items()
            if key.partition(".")[0] == str(place)
        }
        verdict = rule.verdict(own)
        examples = (
            () if verdict.passed else _examples(rule.failing(looked[rule.where]), keys, rule.mentions())
        )
        yield _Check(
            rule.id, rule.severity, verdict.passed, verdict.rows, verdict.failing, verdict.text, examples
        )


def _of_contract(demands: Sequence[ContractCheck], table: ibis.Table) -> dict[str, ibis.Scalar]:
    return {"rows": table.count()} | {
        f"contract.{place}": check.failing for place, check in enumerate(demands) if check.failing is not None
    }


def _contract(
    demands: Sequence[ContractCheck], found: Mapping[str, Any], table: ibis.Table, keys: Sequence[str]
) -> Iterator[_Check]:
    rows = found["rows"]
    for place, check in enumerate(demands):
        if check.broken is None:
            yield _Check(check.id, "error", False, rows, rows, f"'{check.column}': {check.what}")
            continue
        failing = found[f"contract.{place}"] or 0
        passed = failing <= check.share * rows
        text = f"'{check.column}': {failing} of {rows} rows are {check.what}"
        examples = () if passed else _examples(table.filter(check.broken), keys, (check.column,))
        yield _Check(check.id, "error", passed, rows, failing, text, examples)


def _suits(rule: Rule, rows: ibis.Table, asked: Mapping[str, ibis.Scalar]) -> None:
    """Refuse a rule that a database would judge otherwise, by its name."""
    if here(rows) or not asked:
        return
    try:
        rows.get_backend().compile(
            rows.aggregate(**{f"a{at}": value for at, value in enumerate(asked.values())})
        )
    except StepError as error:
        raise StepError(f"the rule '{rule.id}': {error.what}", where=error.where, fix=error.fix) from error


def _distinct_names(rules: Sequence[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise StepError(
                f"two rules are called '{rule.id}'", where="validation.rules", fix="give one of them a name:"
            )
        seen.add(rule.id)


def _examples(table: ibis.Table, keys: Sequence[str], columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
    shown = tuple(dict.fromkeys(name for name in (*keys, *columns) if name in table.columns))
    rows = table.order_by("mlspec_row").select("mlspec_row", *shown).limit(EXAMPLES).to_pyarrow().to_pylist()
    return tuple(
        {
            "row": row["mlspec_row"],
            "key": {name: plain_value(row[name]) for name in keys},
            "values": {name: plain_value(row[name]) for name in shown if name not in keys},
        }
        for row in rows
    )
