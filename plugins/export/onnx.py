"""One ONNX file: raw columns in, named answers out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mlspec.errors import CheckFailed
from mlspec.sdk.export import Export, ExportInputs
from mlspec.sdk.parity import Parity

if TYPE_CHECKING:
    from collections.abc import Mapping


class Onnx(Export):
    """One self-contained ONNX file of features, network and answers, held against training before it leaves.

    Writes `model.onnx`, `contract.json`, `conformance.json` and `parity.json`. Any ONNX Runtime opens it, in
    any language; the contract says what each column must hold.
    """

    requires: ClassVar[Mapping[str, str]] = {"onnx": "train", "onnxruntime": "train"}

    opset: Literal[20] = 20
    """Version of ONNX's operators in the file."""
    parity: Parity = Parity()
    """How it is held against training."""

    def write(self, inputs: ExportInputs, output: Path) -> dict[str, Any]:
        """Write the file and its contract, then the reports, and return the parity report.

        Raises:
            CheckFailed: the file's answers differ from those of training by more than the spec allows.
        """
        from mlspec.engine.exporting.made import joined_of, replay_of
        from mlspec.engine.exporting.parity import Tolerance, parity
        from mlspec.engine.files import write_bytes, write_json
        from mlspec.engine.graph.conformance import conformance
        from mlspec.engine.graph.session import Session

        shape, joined = joined_of(inputs)
        content = joined.model.SerializeToString(deterministic=True)
        write_bytes(output / "model.onnx", content)
        write_json(output / "contract.json", joined.contract.model_dump(mode="json"))
        replay = replay_of(inputs, self.parity.rows)
        tolerance = Tolerance(self.parity.atol, self.parity.rtol)
        report = parity(content, joined.contract, shape, replay, tolerance)
        write_json(output / "parity.json", report)
        if not report["passed"]:
            raise CheckFailed(
                report["text"],
                fix="a feature or a model plug-in is at fault; widen `parity` only where that is harmless",
            )
        session = Session(content, joined.contract.inputs)
        write_json(output / "conformance.json", conformance(joined.contract, session, replay.rows))
        return report
