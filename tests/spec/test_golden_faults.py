"""What users are told, word for word.

`MLSPEC_RENEW=1 pytest tests/spec/test_golden_faults.py` writes it anew: read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlspec.codes import CODES
from mlspec.errors import Fault, SpecError
from mlspec.spec.load import load
from tests.spec.fault_cases import CASES
from tests.spec.full_spec import TEXT, write_full

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "faults.txt"


def told(name: str) -> tuple[Fault, ...]:
    """Return the faults of one case, in the folder that is current."""
    text = TEXT
    for one, other in CASES[name]:
        assert text.count(one) == 1, f"{name}: '{one}' stands {text.count(one)} times"
        text = text.replace(one, other)
    write_full(Path(), text)
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"))
    return caught.value.faults


def rendered(name: str, faults: tuple[Fault, ...]) -> str:
    lines = [f"== {name}"]
    for fault in faults:
        lines.append(f"{fault.code} {fault.where}: {fault.what}")
        lines += [f"    {line}" for line in (fault.excerpt or "").splitlines()]
        if fault.others:
            lines.append(f"    also {', '.join(map(str, fault.others))}")
        if fault.fix:
            lines.append(f"  fix: {fault.fix}")
    return "\n".join(lines) + "\n"


def test_every_fault_is_told_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "\n".join(rendered(name, told(name)) for name in CASES)
    if os.environ.get("MLSPEC_RENEW") == "1":
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_every_fault_has_a_known_code_a_place_and_an_excerpt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in CASES:
        for fault in told(name):
            assert fault.code in CODES, name
            assert (
                fault.where is not None and fault.excerpt and fault.excerpt.splitlines()[-1].endswith("^")
            ), name


def test_the_full_spec_has_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load(write_full(Path()))
    assert loaded.spec.name == "adult_income"
    assert [file.name for file in loaded.files] == ["cpu.yaml", "spec.yaml"]
