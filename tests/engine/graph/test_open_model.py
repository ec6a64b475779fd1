"""Model files from elsewhere: what is refused before any session is made."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from mlspec.engine.builder import Builder
from mlspec.engine.graph.open_model import open_model
from mlspec.errors import MissingError, UsageError


def model() -> onnx.ModelProto:
    builder = Builder("x")
    x = builder.input("x", "float64")
    builder.output(builder.node("Add", x, builder.constant([1.5], "float64")), "y", "float64", ("rows",))
    return builder.model()


def branch(tensor: TensorProto) -> onnx.ModelProto:
    """Return a model that holds a tensor two graphs deep."""
    made = model()
    deep = helper.make_graph([helper.make_node("Constant", [], ["k"], value=tensor)], "deep", [], [])
    inner = helper.make_graph(
        [helper.make_node("If", ["c"], [], then_branch=deep, else_branch=deep)], "inner", [], []
    )
    made.graph.node.append(helper.make_node("If", ["c"], [], then_branch=inner, else_branch=inner))
    return made


def external(name: str = "w") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def test_a_harmless_file_is_read_as_it_is() -> None:
    assert open_model(model().SerializeToString()) == model()


def test_every_sort_of_tensor_of_the_house_is_as_large_as_it_says() -> None:
    builder = Builder("x")
    x = builder.input("x", "float64")
    kept = [
        builder.constant(["a", "b"], object),
        builder.constant([1, 2], "int64"),
        builder.constant([True], "bool"),
    ]
    for place, name in enumerate(kept):
        builder.node("Identity", name, to=f"k{place}")
    builder.output(x, "y", "float64", ("rows",))
    open_model(builder.model().SerializeToString())


@pytest.mark.parametrize("place", ["initializer", "attribute", "branch", "function"])
def test_data_in_another_file_is_refused(place: str) -> None:
    made = model()
    if place == "initializer":
        made.graph.initializer.append(external())
    elif place == "attribute":
        made.graph.node.append(helper.make_node("Constant", [], ["k"], value=external()))
    elif place == "branch":
        made = branch(external())
    else:
        node = helper.make_node("Constant", [], ["k"], value=external())
        made.functions.append(helper.make_function("", "f", [], ["k"], [node], [helper.make_opsetid("", 20)]))
    with pytest.raises(UsageError, match="lies in another file"):
        open_model(made.SerializeToString())


@pytest.mark.parametrize("place", ["node", "import", "branch"])
def test_operators_from_elsewhere_are_refused(place: str) -> None:
    made = model()
    if place == "import":
        made.opset_import.append(helper.make_opsetid("com.example", 1))
    else:
        node = helper.make_node("Evil", ["x"], ["z"], domain="com.example")
        graph = made.graph if place == "node" else helper.make_graph([], "inner", [], [])
        graph.node.append(node)
        if place == "branch":
            made.graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=graph, else_branch=graph))
    with pytest.raises(UsageError, match=r"operators of 'com\.example'"):
        open_model(made.SerializeToString())


def test_a_tensor_that_claims_more_than_it_holds_is_refused() -> None:
    made = model()
    made.graph.initializer.append(
        TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**40], raw_data=b"1234")
    )
    with pytest.raises(UsageError, match="'w' is not as large as it says"):
        open_model(made.SerializeToString())
    made = model()
    made.graph.initializer.append(
        TensorProto(name="v", data_type=TensorProto.FLOAT, dims=[2**40], float_data=[1.0])
    )
    with pytest.raises(UsageError, match="'v' is not as large as it says"):
        open_model(made.SerializeToString())


@pytest.mark.parametrize("kind", [TensorProto.STRING, TensorProto.UNDEFINED, 99])
def test_a_tensor_of_no_readable_type_is_refused(kind: int) -> None:
    made = model()
    made.graph.initializer.append(TensorProto(name="w", data_type=kind, dims=[1], raw_data=b"1234"))
    with pytest.raises(UsageError, match="'w' has no readable type"):
        open_model(made.SerializeToString())


@pytest.mark.parametrize("kind", [kind for kind in TensorProto.DataType.values() if kind not in (0, 8)])
def test_every_type_of_tensor_that_onnx_can_make_is_taken(kind: int) -> None:
    made = model()
    made.graph.initializer.append(helper.make_tensor("w", kind, [3], [1, 0, 1]))
    open_model(made.SerializeToString())


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 100], ids=["empty", "text", "zeros"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(UsageError, match="no ONNX model"):
        open_model(content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"model\.onnx"):
        open_model(tmp_path / "model.onnx")
