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


@pytest.mark.parametrize("place", ["initializer", "default", "domain", "import"])
def test_what_a_function_hides_is_found(place: str) -> None:
    made = model()
    inner = helper.make_graph([], "inner", [], [], initializer=[external()] if place == "initializer" else [])
    function = helper.make_function(
        "com.example" if place == "domain" else "", "f", [], ["k"],
        [helper.make_node("If", ["c"], ["k"], then_branch=inner, else_branch=inner)],
        [helper.make_opsetid("com.example" if place == "import" else "", 20)],
    )  # fmt: skip
    if place == "default":
        function.attribute_proto.append(helper.make_attribute("value", external()))
    made.functions.append(function)
    with pytest.raises(UsageError, match=r"lies in another file|operators of 'com\.example'"):
        open_model(made.SerializeToString())


def test_graphs_of_a_training_are_refused() -> None:
    made = model()
    made.training_info.add().algorithm.initializer.append(external())
    with pytest.raises(UsageError, match="graphs of its training"):
        open_model(made.SerializeToString())


@pytest.mark.parametrize("place", ["input", "output", "value_info"])
@pytest.mark.parametrize("size", [-1, 2**62])
def test_a_declared_size_that_nothing_has_is_refused(place: str, size: int) -> None:
    made = model()
    getattr(made.graph, place).append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, size]))
    with pytest.raises(UsageError, match=f"a tensor of size {size}"):
        open_model(made.SerializeToString())


def test_a_sparse_tensor_that_would_be_dense_without_end_is_refused() -> None:
    made = model()
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2**30, 2**30]))
    with pytest.raises(UsageError, match="a tensor of size"):
        open_model(made.SerializeToString())


def test_a_file_larger_than_any_model_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "model.onnx", "wb") as file:
        file.truncate(2**31)
    with pytest.raises(UsageError, match="too large"):
        open_model(tmp_path / "model.onnx")


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
