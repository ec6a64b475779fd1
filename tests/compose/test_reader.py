from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from mlspec.compose.document import Document
from mlspec.compose.reader import DEEPEST, LARGEST, read
from mlspec.compose.scalar import scalar

TEXT = """\
# a note
name: größe   # umlauts count as one column
data:
  source: {kind: csv, "path": 'a b.csv'}
  key: [a, 'b c',
    d]
  "odd key: yes":
    - x: 1
      y: |
        two
        lines
    - - 1
      - 2
empty:
"""


def _reference(node: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], tuple[int, int]]:
    """Places as PyYAML's own composer has them, by its pure Python parser."""
    found = {path: (node.start_mark.line + 1, node.start_mark.column + 1)}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found |= _reference(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found |= _reference(item, (*path, index))
    return found


def _reference_keys(node: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], tuple[int, int]]:
    found = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found[(*path, key.value)] = (key.start_mark.line + 1, key.start_mark.column + 1)
            found |= _reference_keys(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found |= _reference_keys(item, (*path, index))
    return found


def test_places_are_those_of_an_independent_parser() -> None:
    document, faults = read("a.yaml", TEXT)
    node = yaml.compose(TEXT, Loader=yaml.SafeLoader)
    assert faults == ()
    values = {path: mark.value for path, mark in document.marks.items()}
    keys = {path: mark.key for path, mark in document.marks.items() if path and isinstance(path[-1], str)}
    wanted = _reference(node)
    (
        wanted.pop(("empty",)),
        values.pop(("empty",)),
    )  # where nothing stands, parsers differ by the blank before it
    assert values == wanted
    assert keys == _reference_keys(node)


def test_values_are_read_in_the_same_pass() -> None:
    document, _ = read("a.yaml", TEXT)
    assert document.tree == {
        "name": "größe",
        "data": {
            "source": {"kind": "csv", "path": "a b.csv"},
            "key": ["a", "b c", "d"],
            "odd key: yes": [{"x": 1, "y": "two\nlines\n"}, [1, 2]],
        },
        "empty": None,
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-0.0", -0.0),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("12:30:00", "12:30:00"),
        ("1:30", "1:30"),
        ("02134", "02134"),
        ("007.5", "007.5"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
    ],
)
def test_plain_words_are_yaml_1_2(word: str, value: Any) -> None:
    assert scalar(word) == value
    assert type(scalar(word)) is type(value)


@pytest.mark.parametrize("word", [".inf", "-.INF", ".nan", "1e999", "9" * 500, "-1e999"])
def test_numbers_that_are_none_are_refused(word: str) -> None:
    faults = read("a.yaml", f"a: {word}")[1]
    assert [fault.code for fault in faults] == ["MS0110"]
    assert str(faults[0].where) == "a.yaml:1:4"


def test_quoted_words_stay_text() -> None:
    document, _ = read("a.yaml", "a: '5'\nb: \"true\"\nc: ''\n'1': x\n2: y\n")
    assert document.tree == {"a": "5", "b": "true", "c": "", "1": "x", "2": "y"}


def _codes(text: str) -> list[tuple[str, str]]:
    return [(fault.code, str(fault.where)) for fault in read("a", text)[1]]


def test_all_duplicate_keys_are_told_and_the_first_is_kept() -> None:
    text = "a: 1\nb: {c: 1, c: 2}\na: 3\nb: {c: 9, d: 1, d: 2}\n"
    assert _codes(text) == [
        ("MS0104", "a:2:11"),
        ("MS0104", "a:3:1"),
        ("MS0104", "a:4:1"),
        ("MS0104", "a:4:17"),
    ]
    assert read("a", text)[0].tree == {"a": 1, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("a: &x 1\nb: *x\n", [("MS0105", "a:1:4"), ("MS0105", "a:2:4")]),
        ("b:\n  <<: {a: 1}\n", [("MS0105", "a:2:3")]),
        ("a: !!binary aGk=\nb: !mine {c: 1}\n", [("MS0106", "a:1:4"), ("MS0106", "a:2:4")]),
        ("a: !!python/object/apply:os.system ['true']\n", [("MS0106", "a:1:4")]),
        ("a: 1\n---\nb: 2\n", [("MS0107", "a:2:1")]),
        ("- 1\n", [("MS0109", "a:1:1")]),
        ("hello\n", [("MS0109", "a:1:1")]),
        ("? {a: 1}\n: 2\n", [("MS0109", "a:1:3")]),
        ("? [a, {b: 1}]\n: {c: 2}\nd: 3\n", [("MS0109", "a:1:3")]),
        ("a:\n  ? ~\n  : 1\n", [("MS0109", "a:2:5")]),
        ("a:\n\tb: 1\n", [("MS0103", "a:2:1")]),
        ("a: [1, 2\nb: 3\n", [("MS0103", "a:2:2")]),
        ("a: b: c\n", [("MS0103", "a:1:5")]),
        ("a: 'open\n", [("MS0103", "a:2:1")]),
    ],
)
def test_what_the_language_refuses_is_told_at_its_place(text: str, faults: list[tuple[str, str]]) -> None:
    assert _codes(text) == faults


def test_a_tab_is_named() -> None:
    fault = read("a", "a:\n\tb: 1\n")[1][0]
    assert "tab" in fault.what
    assert fault.fix == "indent with blanks"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\n\n"])
def test_an_empty_text_says_nothing(text: str) -> None:
    document, faults = read("a", text)
    assert (document.tree, faults) == ({}, ())


def test_depth_is_bounded_while_events_stream() -> None:
    before = time.process_time()
    assert _codes("a: " + "[" * 100_000) == [("MS0108", f"a:1:{3 + DEEPEST}")]
    assert _codes("{a: " * 100_000)[0][0] == "MS0108"
    assert time.process_time() - before < 20
    deep = (
        "".join("  " * level + f"k{level}:\n" for level in range(DEEPEST - 1)) + "  " * DEEPEST + "end: 1\n"
    )
    assert _codes(deep) == []


def test_size_is_bounded() -> None:
    document, faults = read("a", "a: " + "x" * LARGEST)
    assert [fault.code for fault in faults] == ["MS0108"]
    assert document.tree == {}


def test_excerpts_point_at_the_column_also_in_long_lines() -> None:
    text = "a: [" + "1, " * 200 + "&x 2]"
    fault = read("a", text)[1][0]
    assert fault.excerpt is not None
    line, caret = fault.excerpt.split("\n")
    assert line[caret.index("^")] == "&"
    assert len(line) <= 100


def test_lines_are_counted_as_yaml_counts_them() -> None:
    document = Document("a", "a: 1\u2028b: 2\r\nc: 3")
    assert document.excerpt(2, 1).startswith("b: 2")
    assert document.excerpt(3, 1).startswith("c: 3")
    assert read("a", "a: 1\u2028b: 2\r\nc: 3")[0].marks[("c",)].key == (3, 1)
