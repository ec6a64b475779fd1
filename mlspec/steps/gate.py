"""The step `gate`: what must hold of the numbers before anything is packaged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json, write_bytes, write_json
from mlspec.errors import CheckFailed
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.gate import Gate, GateVerdict
from mlspec.sdk.slot import Slot


def gate(parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context) -> None:
    """Judge every gate, write `report.json` with every number, and `passed` where all of them do.

    Args:
        parameters: `evaluation.gates`.
        inputs: The folder of each `evaluate-<name>`.
        output: An empty folder.
        context: Told the gates that failed.

    Raises:
        CheckFailed: a gate failed; tells every one of them, and the report stays in the folder.
    """
    metrics = {
        step.removeprefix("evaluate-"): read_json(folder / "metrics.json")
        for step, folder in inputs.items()
        if step.startswith("evaluate-")
    }
    gates = tuple(
        Slot("gate", default="threshold").choose(freeze(options))
        for options in parameters["evaluation"]["gates"]
    )
    verdicts = [_judge(gate, metrics) for gate in gates if isinstance(gate, Gate)]
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
            if isinstance(gate, Gate)
        ],
        "metrics": metrics,
    }
    write_json(output / "report.json", report)
    failed = [(place, verdict.text) for place, verdict in enumerate(verdicts) if not verdict.passed]
    if failed:
        count = f"{len(failed)} of {len(verdicts)} gates failed" if len(verdicts) > 1 else "the gate failed"
        raise CheckFailed(
            f"{count}: {'; '.join(text for _, text in failed)}",
            where=f"evaluation.gates[{failed[0][0]}]",
            fix="train a better model, or set a bound that it must truly reach",
        )
    write_bytes(output / "passed", b"passed\n")


def _judge(gate: Gate, metrics: Mapping[str, Mapping[str, Any]]) -> GateVerdict:
    if gate.export not in metrics:
        return GateVerdict(
            False, f"there is no export called '{gate.export}' that {gate.metric} could be measured on"
        )
    verdict = gate.judge(metrics[gate.export])
    return verdict if len(metrics) == 1 else GateVerdict(verdict.passed, f"{gate.export}: {verdict.text}")
