"""Whatever the text, the language answers with a spec or with an error of its own."""

from __future__ import annotations

import os
import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlspec.errors import MlspecError, SpecError
from mlspec.spec.load import load
from tests.spec.accidents import spoilt, texts
from tests.spec.full_spec import TEXT, write_full

LONG = os.environ.get("MLSPEC_FUZZ") == "1"
"""Whether `make fuzz` runs this: other examples each time, and many more of them."""
SHORT = settings(
    max_examples=1_000 if LONG else 120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=not LONG,
    database=None,
    print_blob=True,
)
BITS = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\t",
    "&a ",
    "*a",
    "!!int ",
    "'",
    '"',
    "|",
    ">",
    "#",
    "%",
    "@",
    "`",
    "? ",
    "---\n",
    "${",
    "}",
    "${name}",
    "${oc.env:HOME}",
    "null",
    "~",
    "1e999",
    ".nan",
    "-1",
    "0",
    "99999999999999999999",
    "true",
    "[]",
    "{}",
    "kind: ",
    "defaults:\n  - model: mlp\n",
    "\x00",
    "\ufeff",
    "\u2028",
    "\U0001f600",
    "x" * 300,
    "a.b.c",
    "hydra: 1\n",
    "<<: ",
    "..",
    "../x",
    "features: auto",
]
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["kind", "mlp", "auto", "${seed}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "data", "model", "a", "x-y"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _load(folder: Path, text: str, overrides: tuple[str, ...] = (), overlays: tuple[Path, ...] = ()) -> None:
    write_full(folder)
    (folder / "spec.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load(folder / "spec.yaml", overrides, overlays)
    except SpecError as error:
        assert error.faults
        for fault in error.faults:
            assert fault.what and fault.code.startswith("MS")
    except MlspecError:
        pass


@SHORT
@given(
    place=st.integers(0, len(TEXT)), cut=st.integers(0, 40), bits=st.lists(st.sampled_from(BITS), max_size=3)
)
def test_a_spec_with_a_splice(tmp_path: Path, place: int, cut: int, bits: list[str]) -> None:
    _load(tmp_path, TEXT[:place] + "".join(bits) + TEXT[place + cut :])


@SHORT
@given(seed=st.integers(0, 2**32))
def test_accidents_of_an_editor(tmp_path: Path, seed: int) -> None:
    chance, sources = random.Random(seed), texts()
    text, overlay = spoilt(chance, sources), spoilt(chance, sources)
    (tmp_path / "over.yaml").write_bytes(overlay.encode("utf-8", "surrogatepass"))
    _load(tmp_path, text, overlays=(tmp_path / "over.yaml",) if seed % 4 == 0 else ())


@SHORT
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(BITS), max_size=12).map("".join))
def test_any_text(tmp_path: Path, text: str) -> None:
    _load(tmp_path, text)


@SHORT
@given(
    key=st.sampled_from(
        [
            "model",
            "data",
            "training.epochs",
            "data.features",
            "data.source",
            "exports",
            "hardware",
            "data.split.kind",
            "evaluation.gates",
            "validation.rules",
            "data.target",
            "~model",
            "+a.b",
            "name",
            "data.features.age",
            "exports.main",
            "monitoring.monitors.live",
            "model.hidden.0",
        ]
    ),
    value=_VALUES,
)
def test_any_value_at_a_key(tmp_path: Path, key: str, value: object) -> None:
    _load(tmp_path, TEXT, (f"{key}={_grammar(value)}",))


@SHORT
@given(overrides=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=2))
def test_any_override(tmp_path: Path, overrides: list[str]) -> None:
    _load(tmp_path, TEXT, tuple(overrides))


@SHORT
@given(
    tree=st.dictionaries(
        st.sampled_from(["apiVersion", "name", "data", "model", "exports", "training", "evaluation"]), _VALUES
    )
)
def test_any_tree(tmp_path: Path, tree: dict[str, object]) -> None:
    from mlspec.compose.write import write

    _load(tmp_path, write(tree))


def _grammar(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_grammar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_grammar, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "").replace("'", "") + "'"
    return "null" if value is None else str(value)


def test_the_fuzz_reaches_good_specs(tmp_path: Path) -> None:
    assert os.path.getsize(write_full(tmp_path)) > 0
    assert load(tmp_path / "spec.yaml").spec.model.kind == "mlp"
