from __future__ import annotations

import json
import multiprocessing
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlspec import plugins, registry
from mlspec.errors import MissingError, UsageError
from mlspec.spec.load import load
from mlspec.trust import digest, distrust, is_trusted, trust, trust_file
from tests.spec.full_spec import TEXT, write_full

CODE = '''
from mlspec.sdk.metric import Answers, Metric

class Luck(Metric):
    """A coin."""

    targets = ("binary",)
    better = "higher"
    side: str = "heads"
    """Which side."""

    def value(self, answers: Answers) -> float:
        return 1.0
'''


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("MLSPEC_TRUST", raising=False)
    home = tmp_path / "work"
    (home / "plugins" / "metric").mkdir(parents=True)
    (home / "plugins" / "metric" / "luck.py").write_text(f"open({str(home / 'ran')!r}, 'w').close()\n{CODE}")
    write_full(home, TEXT.replace("[accuracy, auroc, log_loss]", "[accuracy, auroc, luck]"))
    yield home
    registry.attach(tmp_path / "nowhere")
    assert plugins.VARIABLE not in os.environ


def test_an_untrusted_plug_in_is_refused_and_not_imported(workspace: Path) -> None:
    with pytest.raises(MissingError, match="not trusted") as caught:
        load(workspace / "spec.yaml")
    assert caught.value.exit_code == 3
    assert caught.value.fix is not None and "mlspec trust" in caught.value.fix
    assert not (workspace / "ran").exists()
    assert "luck" in registry.kinds("metric")


def test_a_spec_that_names_none_of_them_needs_no_trust(workspace: Path) -> None:
    write_full(workspace)
    assert load(workspace / "spec.yaml").spec.name == "adult_income"
    assert not (workspace / "ran").exists()


def test_a_trusted_plug_in_works_until_it_changes(workspace: Path) -> None:
    trust(workspace / "plugins")
    spec = load(workspace / "spec.yaml").spec
    assert spec.evaluation.metrics is not None and spec.evaluation.metrics[2].kind == "luck"
    assert registry.file("metric", "luck") == workspace / "plugins" / "metric" / "luck.py"
    (workspace / "plugins" / "metric" / "helper.txt").write_text("data")
    with pytest.raises(MissingError, match="not trusted"):
        load(workspace / "spec.yaml")


def test_the_environment_trusts_everything(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSPEC_TRUST", "1")
    assert load(workspace / "spec.yaml").spec.evaluation.metrics
    monkeypatch.setenv("MLSPEC_TRUST", "yes please")
    assert not is_trusted(workspace / "plugins")


def test_trust_is_kept_outside_the_repository_and_can_be_taken_back(workspace: Path) -> None:
    found = trust(workspace / "plugins")
    assert json.loads(trust_file().read_text()) == {found: str(workspace / "plugins")}
    assert not trust_file().is_relative_to(workspace)
    assert is_trusted(workspace / "plugins")
    assert distrust(workspace / "plugins") and not distrust(workspace / "plugins")
    assert not is_trusted(workspace / "plugins")


def test_bytecode_beside_a_trusted_file_is_not_run(workspace: Path, tmp_path: Path) -> None:
    trust(workspace / "plugins")
    good = workspace / "plugins" / "metric" / "luck.py"
    evil = tmp_path / "evil.py"
    evil.write_text("raise RuntimeError('bytecode ran')\n")
    cache = good.parent / "__pycache__" / f"luck.{sys.implementation.cache_tag}.pyc"
    py_compile.compile(
        str(evil), cfile=str(cache), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    assert is_trusted(workspace / "plugins")
    assert registry.find("metric", "accuracy") and load(workspace / "spec.yaml").spec.evaluation.metrics


def test_links_cannot_be_trusted(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (workspace / "plugins" / "model").symlink_to(tmp_path / "far")
    with pytest.raises(UsageError, match="is a link"):
        trust(workspace / "plugins")
    assert not is_trusted(workspace / "plugins")


def test_the_digest_is_of_names_and_content(workspace: Path) -> None:
    first = digest(workspace / "plugins")
    (workspace / "plugins" / "metric" / "luck.py").rename(workspace / "plugins" / "metric" / "fate.py")
    second = digest(workspace / "plugins")
    (workspace / "plugins" / "metric" / "__pycache__").mkdir(exist_ok=True)
    (workspace / "plugins" / "metric" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert first != second == digest(workspace / "plugins")


@pytest.mark.parametrize("name", ["mlp.py", "_network.py"])
def test_a_workspace_may_not_shadow_a_shipped_file(workspace: Path, name: str) -> None:
    (workspace / "plugins" / "model").mkdir()
    (workspace / "plugins" / "model" / name).write_text("")
    with pytest.raises(UsageError, match="name of a shipped one"):
        load(workspace / "spec.yaml")


def test_another_workspace_forgets_the_first(workspace: Path, tmp_path: Path) -> None:
    trust(workspace / "plugins")
    first = registry.find("metric", "luck") if load(workspace / "spec.yaml") else None
    other = tmp_path / "other"
    (other / "plugins" / "metric").mkdir(parents=True)
    (other / "plugins" / "metric" / "luck.py").write_text(CODE.replace("A coin.", "A die."))
    trust(other / "plugins")
    registry.attach(other)
    second = registry.find("metric", "luck")
    assert first is not None and (first.__doc__, second.__doc__) == ("A coin.", "A die.")
    registry.attach(tmp_path)
    with pytest.raises(UsageError, match="no metric is called 'luck'"):
        registry.find("metric", "luck")


def _side(plugin: object) -> str:
    return f"{type(plugin).__module__} {plugin.side}"  # type: ignore[attr-defined]


def test_spawned_processes_find_them(workspace: Path) -> None:
    trust(workspace / "plugins")
    spec = load(workspace / "spec.yaml").spec
    assert spec.evaluation.metrics is not None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_side, (spec.evaluation.metrics[2],)) == "mlspec.plugins.metric.luck heads"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_thing\n", "no_such_thing"),
        ("x = (\n", "SyntaxError"),
        ("x = 1\n", "defines no class 'Luck'"),
    ],
)
def test_a_broken_plug_in_is_told_in_one_sentence(workspace: Path, code: str, words: str) -> None:
    (workspace / "plugins" / "metric" / "luck.py").write_text(code)
    trust(workspace / "plugins")
    with pytest.raises(MissingError, match=words):
        load(workspace / "spec.yaml")
