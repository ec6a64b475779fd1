from __future__ import annotations

from typing import Any

import pytest

from mlspec.compose.interpolate import interpolate


def test_references_take_values_of_any_plain_type() -> None:
    tree = {
        "a": {"n": 3, "list": [1, "x"], "s": "t"},
        "b": "${a.n}",
        "c": ["${a.s}", "${a.list}"],
        "d": "${a.list.1}",
    }
    done = interpolate(tree)
    assert done.tree["b"] == 3
    assert done.tree["c"] == ["t", [1, "x"]]
    assert done.tree["d"] == "x"
    assert done.troubles == ()


def test_an_escaped_mark_is_text() -> None:
    assert interpolate({"a": "cost \\${b}", "b": 1}).tree["a"] == "cost ${b}"


def test_the_environment_stays_unresolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hush")
    done = interpolate({"a": {"password": "${oc.env:SECRET}"}})
    assert done.tree == {"a": {"password": "${oc.env:SECRET}"}}
    assert done.environment == (("a", "password"),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("${b}${b}", "MS0116"),
        ("x${b}", "MS0116"),
        ("${oc.decode:b}", "MS0116"),
        ("${now:%Y}", "MS0116"),
        ("${oc.env:A,b}", "MS0116"),
        ("${", "MS0116"),
        ("${{b}}", "MS0116"),
        ("${.b}", "MS0116"),
        ("${nothing}", "MS0117"),
        ("${a}", "MS0116"),
        ("${section}", "MS0116"),
        ("${other}", "MS0116"),
        ("${}", "MS0116"),
        ("${oc.create:[1]}", "MS0116"),
    ],
)
def test_everything_else_is_refused(text: str, code: str) -> None:
    done = interpolate({"a": text, "b": 1, "section": {"x": 1}, "other": "${b}"})
    assert [trouble.code for trouble in done.troubles] == [code]
    assert done.troubles[0].path == ("a",)


def test_references_cannot_grow() -> None:
    tree: dict[str, Any] = {"l0": ["x"] * 10}
    for level in range(1, 6):
        tree[f"l{level}"] = [f"${{l{level - 1}}}"] * 10
    done = interpolate(tree)
    assert len(str(done.tree)) < 20_000
    assert {trouble.code for trouble in done.troubles} == {"MS0116"}
