"""Files that could take the process down: they take down another one, and are refused."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mlspec.engine.builder import Builder
from mlspec.engine.graph import vet as module
from mlspec.engine.graph.vet import vet
from mlspec.errors import MissingError, UsageError


def model() -> onnx.ModelProto:
    builder = Builder("x")
    x = builder.input("x", "float64")
    builder.output(builder.node("Add", x, builder.constant([1.5], "float64")), "y", "float64", ("rows",))
    return builder.model()


def written(folder: Path, made: onnx.ModelProto | bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return path


def test_a_file_of_the_house_passes(tmp_path: Path) -> None:
    vet(written(tmp_path, model()))


def test_a_small_file_that_asks_for_any_amount_of_memory_is_refused(tmp_path: Path) -> None:
    made = model()
    made.graph.initializer.append(numpy_helper.from_array(np.array([1 << 40]), "shape"))
    made.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["big"]))
    made.graph.output.append(helper.make_tensor_value_info("big", TensorProto.FLOAT, ("n",)))
    with pytest.raises(UsageError, match=r"refuse '.*model\.onnx'|break down"):
        vet(written(tmp_path, made))


def test_a_loop_without_an_end_is_refused(tmp_path: Path) -> None:
    made, info = model(), helper.make_tensor_value_info
    nodes = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["carried"], ["kept"])]
    takes = [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, [])]
    takes.append(info("carried", TensorProto.DOUBLE, ["rows"]))
    gives = [info("on", TensorProto.BOOL, []), info("kept", TensorProto.DOUBLE, ["rows"])]
    body = helper.make_graph(nodes, "body", takes, gives)
    made.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
    made.graph.node.append(helper.make_node("Loop", ["", "true", "x"], ["last"], body=body))
    made.graph.output.append(info("last", TensorProto.DOUBLE, ["rows"]))
    with pytest.raises(UsageError, match="does not end within 3 s"):
        vet(written(tmp_path, made), seconds=3)


@pytest.mark.parametrize("sort", ["operator", "type", "loop", "input"])
def test_what_the_checker_refuses_is_told(tmp_path: Path, sort: str) -> None:
    made = model()
    if sort == "operator":
        made.graph.node.append(helper.make_node("NoSuchOperator", ["x"], ["z"]))
    elif sort == "type":
        made.graph.node.append(helper.make_node("StringNormalizer", ["x"], ["z"]))
    elif sort == "loop":
        made.graph.node.append(helper.make_node("Neg", ["a"], ["b"]))
        made.graph.node.append(helper.make_node("Neg", ["b"], ["a"]))
    else:
        made.graph.node[0].input[0] = "nowhere"
    with pytest.raises(UsageError, match="the ONNX libraries refuse"):
        vet(written(tmp_path, made))


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    whole = model().SerializeToString()
    for end in range(0, len(whole), len(whole) // 4):
        with pytest.raises(UsageError, match=r"no ONNX model|refuse"):
            vet(written(tmp_path, whole[:end]))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"break down \(SIGSEGV\)"),
        ("import time; time.sleep(60)", "does not end within 0.5 s"),
    ],
)
def test_a_crash_and_an_endless_look_are_refusals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    child = tmp_path / "child.py"
    child.write_text(code)
    monkeypatch.setattr(module, "_CHILD", child)
    with pytest.raises(UsageError, match=says):
        vet(written(tmp_path, model()), seconds=0.5 if "sleep" in code else 60)


def test_a_harmful_file_is_refused_before_a_process_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    made = model()
    made.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(UsageError, match=r"operators of 'com\.example'"):
        vet(written(tmp_path, made))
    with pytest.raises(MissingError):
        vet(tmp_path / "none.onnx")
