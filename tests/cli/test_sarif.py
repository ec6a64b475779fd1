from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from mlspec.cli.main import main
from mlspec.codes import CODES
from tests.spec.full_spec import TEXT, write_full

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_PLACES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["physicalLocation"],
        "properties": {
            "physicalLocation": {
                "type": "object",
                "required": ["artifactLocation"],
                "properties": {
                    "artifactLocation": {
                        "type": "object",
                        "required": ["uri"],
                        "properties": {
                            "uri": {
                                "type": "string",
                                "format": "uri-reference",
                            }
                        },
                    },
                    "region": {
                        "type": "object",
                        "required": ["startLine"],
                        "properties": {
                            "startLine": {"type": "integer", "minimum": 1},
                            "startColumn": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            }
        },
    },
}
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": _TEXT,
                                                "help": _TEXT,
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": _TEXT,
                                "locations": _PLACES,
                                "relatedLocations": _PLACES,
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The part of SARIF 2.1.0 that is used, closed: names and types as in its own schema."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_full(tmp_path)
    return tmp_path


def _log(text: str) -> Any:
    log = json.loads(text)
    jsonschema.Draft202012Validator(SHAPE).validate(log)
    return log


def _faulty(spec: Path) -> None:
    text = TEXT.replace("  epochs: 5", "  epohcs: 5").replace("kind: csv", "kind: cvs")
    spec.write_text(text, "utf-8")


def test_every_fault_is_a_result_at_its_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _faulty(here / "spec.yaml")
    assert main(["validate", "--sarif", "faults.sarif", "seed=x"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "3 faults" in told.err
    run = _log((here / "faults.sarif").read_text("utf-8"))["runs"][0]
    places = []
    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"] and rule["help"]["text"] == CODES[result["ruleId"]]
        for location in result.get("locations", []):
            place = location["physicalLocation"]
            places.append((result["ruleId"], place["artifactLocation"]["uri"], *place["region"].values()))
    assert places == [("MS0205", "spec.yaml", 12, 18), ("MS0201", "spec.yaml", 40, 3)]
    override = run["results"][2]
    assert "locations" not in override and override["message"]["text"].startswith("seed=x:1:6: 'seed' is 'x'")
    assert "did you mean 'epochs'?" in run["results"][1]["message"]["text"]


def test_further_places_of_a_fault_are_related_locations(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--sarif", "-", "model=forest"]) == 2
    results = _log(capsys.readouterr().out)["runs"][0]["results"]
    (found,) = (result for result in results if "'training.epochs'" in result["message"]["text"])
    lines = [place["physicalLocation"]["region"]["startLine"] for place in found["relatedLocations"]]
    assert lines == [41, 42, 43, 44, 46]


def test_a_good_spec_gives_a_log_without_results(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--sarif", "-"]) == 0
    told = capsys.readouterr()
    assert _log(told.out)["runs"][0]["results"] == []
    assert "is valid" in told.err


def test_paths_are_references_that_a_reviewer_can_follow(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = here / "sub folder"
    folder.mkdir()
    _faulty(write_full(folder))
    for name in ("sub folder/spec.yaml", str(folder / "spec.yaml")):
        assert main(["validate", name, "--sarif", "-"]) == 2
        results = _log(capsys.readouterr().out)["runs"][0]["results"]
        uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results}
        assert {unquote(uri) for uri in uris} == {"sub folder/spec.yaml"}
        assert " " not in "".join(uris)


@pytest.mark.parametrize("words", [["--sarif", "-", "--json"], ["--sarif", "nowhere/faults.sarif"]])
def test_what_cannot_be_written_is_a_usage_error(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["validate", *words]) == 2
    assert "--sarif" in "".join(capsys.readouterr())
