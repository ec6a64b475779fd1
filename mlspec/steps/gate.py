"""The step `gate`: what must hold of the numbers before anything is packaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json, write_bytes, write_json
from mlspec.errors import CheckFailed
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.gate import BASELINE, Gate, GateVerdict, Measured
from mlspec.sdk.slot import Slot


def gate(parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context) -> None:
    """Judge every gate, write `report.json` with every number, and `passed` where all of them do.

    Args:
        parameters: `evaluation.gates`, `exports.<name>.gates` of exports with their own, and `baseline`: the
            file with the accepted numbers, or None.
        inputs: The folder of each `evaluate-<name>`.
        output: An empty folder.
        context: Where the baseline lies.

    Raises:
        CheckFailed: a gate failed; tells every one of them, and the report stays in the folder.
    """
    said = tuple(_gates(parameters))
    gates = tuple(gate for _, gate in said)
    found = {
        step.removeprefix("evaluate-"): _measured(folder, any(gate.slice_names() for gate in gates))
        for step, folder in inputs.items()
        if step.startswith("evaluate-")
    }
    file = parameters.get("baseline")
    accepted = {} if file is None else read_json(Path(context.resolve(file)))["exports"]
    verdicts = [
        _judge(gate, found, accepted, named=len(found) > 1 or place.startswith("exports."))
        for place, gate in said
    ]
    report = {
        "passed": all(verdict.passed for verdict in verdicts),
        "gates": [
            {
                "kind": gate.kind,
                "metric": gate.metric,
                "export": gate.export,
                "passed": verdict.passed,
                "text": verdict.text,
            }
            for gate, verdict in zip(gates, verdicts, strict=True)
        ],
        "metrics": {name: content["metrics"] for name, content in found.items()},
    }
    write_json(output / "report.json", report)
    failed = [(place, verdict.text) for place, verdict in enumerate(verdicts) if not verdict.passed]
    if failed:
        count = f"{len(failed)} of {len(verdicts)} gates failed" if len(verdicts) > 1 else "the gate failed"
        fix = "train a better model, or set a bound that it must truly reach"
        if any(gates[place].held_against() == BASELINE for place, _ in failed):
            fix += "; `mlspec accept` makes these numbers the baseline"
        raise CheckFailed(
            f"{count}: {'; '.join(text for _, text in failed)}",
            where=said[failed[0][0]][0],
            fix=fix,
        )
    write_bytes(output / "passed", b"passed\n")


def _gates(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Gate]]:
    """Give each gate with its place in the spec."""
    said = [("evaluation.gates", parameters["evaluation"]["gates"])]
    said += [(f"exports.{name}.gates", own["gates"]) for name, own in parameters.get("exports", {}).items()]
    for place, gates in said:
        for index, options in enumerate(gates):
            gate = Slot("gate", default="threshold").choose(freeze(options))
            assert isinstance(gate, Gate)
            yield f"{place}[{index}]", gate


def _measured(folder: Path, slices: bool) -> dict[str, Any]:
    """Return what an evaluation told; its slices only where a gate looks at them."""
    found = {"metrics": read_json(folder / "metrics.json")}
    found["intervals"] = read_json(folder / "intervals.json")["metrics"]
    if slices:
        found["slices"] = read_json(folder / "slices.json")["slices"]
    return found


def _judge(
    gate: Gate,
    found: Mapping[str, Mapping[str, Any]],
    accepted: Mapping[str, Mapping[str, Any]],
    *,
    named: bool,
) -> GateVerdict:
    if gate.export not in found:
        return GateVerdict(
            False, f"there is no export called '{gate.export}' that {gate.metric} could be measured on"
        )
    against = gate.held_against()
    content = accepted.get(gate.export) if against == BASELINE else found.get(against or "")
    other = None if content is None else Measured.of(content)
    verdict = gate.judge(Measured.of(found[gate.export], other))
    return GateVerdict(verdict.passed, f"{gate.export}: {verdict.text}") if named else verdict
