"""What each node of a graph does, on arrays of terms; nodes without a symbol among their inputs in numpy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from mlspec.engine.querying.scaled import real
from mlspec.engine.querying.term import Term, Terms
from mlspec.engine.querying.trees import trees
from mlspec.errors import StepError

Options = Mapping[str, Any]
Operator = Callable[..., NDArray[Any]]


def _is_plain(*arrays: NDArray[Any]) -> bool:
    return not any(_has_terms(array) for array in arrays)


def _has_terms(array: NDArray[Any]) -> bool:
    return array.dtype == object and any(isinstance(item, Term) for item in array.flat)


def _term(terms: Terms, item: Any) -> Term:
    return item if isinstance(item, Term) else terms.constant(item)


def _each(terms: Terms, made: Callable[..., Term], *arrays: NDArray[Any]) -> NDArray[Any]:
    """Return what a function of terms gives for each place of arrays that are spread to one shape."""
    spread = np.broadcast_arrays(*arrays)
    found = np.empty(spread[0].shape, object)
    for place in np.ndindex(found.shape):
        found[place] = made(*(_term(terms, array[place]) for array in spread))
    return found


def _elementwise(word: str, plain: Callable[..., Any]) -> Operator:
    def operator(terms: Terms, options: Options, *arrays: NDArray[Any]) -> NDArray[Any]:
        if _is_plain(*arrays):
            return np.asarray(plain(*arrays))
        return _each(terms, lambda *parts: terms.of(word, *parts), *arrays)

    return operator


def _add(terms: Terms, options: Options, left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    def made(one: Term, other: Term) -> Term:
        reach = None
        if one.reach is not None and other.reach is not None:
            reach = one.reach[0] + other.reach[0], one.reach[1] + other.reach[1]
        return terms.of("add", one, other, reach=reach)

    return left + right if _is_plain(left, right) else _each(terms, made, left, right)


def _clip(terms: Terms, options: Options, x: NDArray[Any], *limits: NDArray[Any]) -> NDArray[Any]:
    for word, limit in zip(("max", "min"), limits, strict=False):
        x = _elementwise(word, np.maximum if word == "max" else np.minimum)(terms, {}, x, limit)
    return x


def _cast(terms: Terms, options: Options, x: NDArray[Any]) -> NDArray[Any]:
    to = options["to"]
    if _is_plain(x):
        kinds = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64, TensorProto.INT64: np.int64}
        return x.astype(kinds[to])

    def made(term: Term) -> Term:
        if term.word in _TRUTHS:
            return terms.of("where", term, terms.constant(1), terms.constant(0), reach=(0, 1))
        if to == TensorProto.INT64:
            return term if term.reach is not None else terms.of("whole", term)
        return real(terms, term) if to == TensorProto.FLOAT else term

    return _each(terms, made, x)


_TRUTHS = frozenset({"missing", "at most", "less", "at least", "greater"})


def _gather(terms: Terms, options: Options, data: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    axis = options.get("axis", 0)
    if _is_plain(places):
        return np.take(data, places.astype(np.int64), axis=axis)
    if axis != 0 or not _is_plain(data):
        raise StepError("the model looks up what is not fixed, and no SQL is written for that")
    found = np.empty((*places.shape, *data.shape[1:]), object)
    for at in np.ndindex(places.shape):
        place = _term(terms, places[at])
        for rest in np.ndindex(data.shape[1:]):
            found[(*at, *rest)] = look_up(terms, data[(slice(None), *rest)], place)
    return found


def look_up(terms: Terms, table: NDArray[Any], place: Term) -> Term:
    """Return the entry of a table at a place; only the part that the place can reach is kept."""
    if place.word == "constant":
        return terms.constant(table[int(place.value)])
    if place.reach is not None:
        low, high = max(place.reach[0], 0), min(place.reach[1], len(table) - 1)
        if low:
            place = terms.of("add", place, terms.constant(-low), reach=(0, high - low))
        table = table[low : high + 1]
    values = tuple(item.item() if hasattr(item, "item") else item for item in table)
    if len(set(values)) == 1:
        return terms.constant(values[0])
    if isinstance(values[0], str):
        return terms.of("choose", place, value=values)
    nan = any(value != value for value in values)
    return terms.of("look up", place, value=values, nan=nan)


def _codes(terms: Terms, options: Options, texts: NDArray[Any]) -> NDArray[Any]:
    keys = [key.decode() for key in options["keys_strings"]]
    values = list(options["values_int64s"])
    default = int(options["default_int64"])
    table = tuple(zip(keys, values, strict=True))
    reach = min([*values, default]), max([*values, default])
    return _each(terms, lambda text: terms.of("code", text, value=(table, default), reach=reach), texts)


def _gemm(terms: Terms, options: Options, x: NDArray[Any], *rest: NDArray[Any]) -> NDArray[Any]:
    factors = rest[0].T if options.get("transB") else rest[0]
    found = np.empty((x.shape[0], factors.shape[1]), object)
    for row, column in np.ndindex(found.shape):
        parts = [
            terms.of("mul", _term(terms, item), terms.constant(factor))
            for item, factor in zip(x[row], factors[:, column], strict=True)
        ]
        if len(rest) > 1:
            parts.append(terms.constant(np.broadcast_to(rest[1], found.shape)[row, column]))
        found[row, column] = terms.sum(parts)
    return found


def _reduce_sum(terms: Terms, options: Options, x: NDArray[Any], axes: NDArray[Any]) -> NDArray[Any]:
    axis = int(axes[0])
    moved = np.moveaxis(x, axis, -1)
    found = np.empty(moved.shape[:-1], object)
    for place in np.ndindex(found.shape):
        found[place] = terms.sum([_term(terms, item) for item in moved[place]])
    return np.expand_dims(found, axis) if options.get("keepdims", 1) else found


def _softmax(terms: Terms, options: Options, x: NDArray[Any]) -> NDArray[Any]:
    found = np.empty(x.shape, object)
    for row in range(x.shape[0]):
        items = [_term(terms, item) for item in x[row]]
        most = terms.of("greatest", *items)
        powers = [terms.of("power", terms.of("sub", item, most)) for item in items]
        whole = terms.sum(powers)
        found[row] = [terms.of("div", power, whole) for power in powers]
    return found


def _arg_max(terms: Terms, options: Options, x: NDArray[Any]) -> NDArray[Any]:
    found = [
        terms.of("first greatest", *(_term(terms, item) for item in row), reach=(0, len(row) - 1))
        for row in x
    ]
    made = np.empty(len(found), object)
    made[:] = found
    return np.expand_dims(made, 1) if options.get("keepdims", 1) else made


def _trees(terms: Terms, options: Options, x: NDArray[Any]) -> NDArray[Any]:
    found = np.empty((x.shape[0], options["n_targets"]), object)
    for row in range(x.shape[0]):
        found[row] = trees(terms, options, [_term(terms, item) for item in x[row]])
    return found


def _slice(terms: Terms, options: Options, x: NDArray[Any], *bounds: NDArray[Any]) -> NDArray[Any]:
    starts, ends, axes = (bound.tolist() for bound in bounds[:3])
    for start, end, axis in zip(starts, ends, axes, strict=True):
        x = np.take(x, range(*slice(start, end).indices(x.shape[axis])), axis=axis)
    return x


def _unsqueeze(terms: Terms, options: Options, x: NDArray[Any], axes: NDArray[Any]) -> NDArray[Any]:
    return np.expand_dims(x, tuple(axes.tolist()))


def _squeeze(terms: Terms, options: Options, x: NDArray[Any], axes: NDArray[Any]) -> NDArray[Any]:
    return np.squeeze(x, tuple(axes.tolist()))


OPERATORS: Mapping[str, Operator] = {
    "Add": _add,
    "Sub": _elementwise("sub", np.subtract),
    "Mul": _elementwise("mul", np.multiply),
    "Div": _elementwise("div", np.divide),
    "Neg": _elementwise("neg", np.negative),
    "Floor": _elementwise("floor", np.floor),
    "Max": _elementwise("max", np.maximum),
    "Min": _elementwise("min", np.minimum),
    "Log": _elementwise("log", np.log),
    "Sigmoid": _elementwise("sigmoid", lambda x: 1 / (1 + math.e**-x)),
    "Where": _elementwise("where", np.where),
    "IsNaN": _elementwise("missing", np.isnan),
    "LessOrEqual": _elementwise("at most", np.less_equal),
    "Less": _elementwise("less", np.less),
    "GreaterOrEqual": _elementwise("at least", np.greater_equal),
    "Greater": _elementwise("greater", np.greater),
    "Clip": _clip,
    "Cast": _cast,
    "Gather": _gather,
    "LabelEncoder": _codes,
    "Gemm": _gemm,
    "MatMul": _gemm,
    "ReduceSum": _reduce_sum,
    "Softmax": _softmax,
    "ArgMax": _arg_max,
    "TreeEnsembleRegressor": _trees,
    "Slice": _slice,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Identity": lambda terms, options, x: x,
    "Transpose": lambda terms, options, x: np.transpose(x, options["perm"]),
    "Concat": lambda terms, options, *parts: np.concatenate(parts, axis=options["axis"]),
}
"""The nodes that feature graphs, `linear`, trees, calibrations and answers are made of."""
