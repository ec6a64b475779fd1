"""A secret is named and never written: what is written out is refused, and shown to nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.errors import SpecError
from mlspec.spec.load import load
from tests.spec.full_spec import TEXT, write_full

SECRET = "hunter2-and-more"
NAMED = TEXT.replace("port: 3000", "token: '${oc.env:ADULT_TOKEN}'")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADULT_TOKEN", SECRET)
    write_full(tmp_path, NAMED)
    return tmp_path


def spoilt(text: str, *, of: str = "port: 3000") -> str:
    assert TEXT.count(of) == 1
    return TEXT.replace(of, text)


@pytest.mark.parametrize(
    "text",
    [
        spoilt(f"token: {SECRET}"),
        spoilt(f"token: {SECRET}, prot: 5"),
        spoilt(f"prot: 5, token: '{SECRET}', port: x"),
        spoilt(f"token: [{SECRET}]"),
        spoilt(f"token: {{a: {SECRET}}}"),
        spoilt(f"port: '${{deployments.online.token}}', token: {SECRET}"),
        spoilt(f"seed: 7\ntoken: {SECRET}", of="seed: 7"),
        spoilt('token: "hunter2\\x2dand-more"'),
        spoilt(f"token: '{SECRET} ${{oc.env:ADULT_TOKEN}}'"),
    ],
)
@pytest.mark.parametrize("words", [[], ["--json"], ["-v"], ["--sarif", "-"]])
def test_a_secret_that_is_written_out_is_refused_and_not_shown(
    here: Path, text: str, words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    write_full(here, text)
    assert main(["validate", *words]) == 2
    told = "".join(capfd.readouterr())
    assert SECRET not in told and "and-more" not in told
    assert "token" in told


def test_a_literal_on_the_command_line_or_below_an_overlay_is_refused_as_well(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", f"deployments.online.token={SECRET}"]) == 2
    told = "".join(capfd.readouterr())
    assert SECRET not in told and "must not be written out" in told
    write_full(here, spoilt(f"token: {SECRET}"))
    (here / "over.yaml").write_text("deployments: {online: {token: '${oc.env:ADULT_TOKEN}'}}\n")
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), (), (Path("over.yaml"),))
    (fault,) = caught.value.faults
    assert fault.code == "MS0121" and str(fault.where).startswith("spec.yaml:")
    assert SECRET not in str(fault)


def test_a_literal_is_not_shown_by_the_further_places_of_a_fault(here: Path) -> None:
    said = ("model=forest", f"training={{batch_size: 5, epochs: 3, token: {SECRET}}}")
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), said)
    (fault,) = (fault for fault in caught.value.faults if "does not use" in fault.what)
    assert any(place.document.startswith("training=") for place in fault.others)
    assert SECRET not in str(caught.value.faults)


def test_a_short_or_numeric_secret_is_not_shown_in_its_line(here: Path) -> None:
    for written in ("4711", "0x1267", "ab"):
        write_full(here, spoilt(f"token: {written}"))
        with pytest.raises(SpecError) as caught:
            load(Path("spec.yaml"))
        (fault,) = caught.value.faults
        assert fault.code == "MS0121" and f"token: {written}" not in (fault.excerpt or "")


def test_no_verb_that_reads_a_spec_looks_the_secret_up(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    commands = (
        ["validate"], ["plan"], ["plan", "--json"], ["plan", "--write"], ["show"], ["show", "--resolved"],
        ["show", "--resolved", "--comments"], ["show", "--json"], ["why", "deployments.online.token"],
        ["why", "--json", "deployments.online.token"],
    )  # fmt: skip
    told = ""
    for command in commands:
        assert main(command) == 0, command
        told += "".join(capfd.readouterr())
    assert SECRET not in told and "${oc.env:ADULT_TOKEN}" in told
    written = [file for file in here.rglob("*") if file.is_file() and ".git" not in file.parts]
    assert any(b"${oc.env:ADULT_TOKEN}" in file.read_bytes() for file in written if file.name == "plan.yaml")
    assert not any(SECRET.encode() in file.read_bytes() for file in written)


def test_what_show_prints_names_the_variable_and_reads_back_the_same(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "--resolved"]) == 0
    before = load(Path("spec.yaml")).spec
    Path("spec.yaml").write_text(capfd.readouterr().out)
    assert load(Path("spec.yaml")).spec == before


def test_the_plan_is_the_same_whatever_the_variable_holds(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--json"]) == 0
    before = json.loads(capfd.readouterr().out)
    monkeypatch.delenv("ADULT_TOKEN")
    assert main(["plan", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == before


@pytest.mark.parametrize("words", [[], ["--json"], ["-v"]])
def test_a_password_in_the_url_of_a_source_is_not_shown(
    here: Path, words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"s3://key:{SECRET}@bucket/t.csv"
    write_full(here, spoilt(f'path: "{url}"', of="path: adult.csv"))
    assert main(["validate", *words]) == 2
    told = "".join(capfd.readouterr())
    assert SECRET not in told and "without credentials" in told
    write_full(here, TEXT)
    assert main(["validate", f"data.source.path={url}", *words]) == 2
    assert SECRET not in "".join(capfd.readouterr())
