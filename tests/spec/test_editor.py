"""What an editor shows of a spec, asked of the language server that editors use for YAML."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlspec import registry
from mlspec.cli._first_spec import EDITOR
from mlspec.cli.main import main
from mlspec.sdk.metric import Metric
from mlspec.spec.training import Training
from tests.spec.full_spec import TEXT
from tests.spec.language_server import LanguageServer

pytestmark = pytest.mark.slow
PACKAGE = {"private": True, "dependencies": {"yaml-language-server": "1.25.0"}}
SPEC = f"{EDITOR}\n{TEXT}"
MODEL = "model: {kind: mlp, hidden: [128, 128], dropout: 0.1}"


@pytest.fixture(scope="module")
def command() -> list[str]:
    """Return the command of the language server, installed once into a folder outside of the checkout."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("npm is missing, and CI must have it: apt-get install nodejs npm")
        pytest.skip("npm is missing: apt-get install nodejs npm")
    package = json.dumps(PACKAGE)
    home = Path(os.environ.get("MLSPEC_NODE_CACHE", Path.home() / ".cache" / "mlspec-node-client"))
    cache = home / hashlib.sha256(package.encode()).hexdigest()[:12]
    if not cache.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=home))
        (scratch / "package.json").write_text(package)
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(install, cwd=scratch, check=True, timeout=500, capture_output=True)
        try:
            scratch.rename(cache)
        except OSError:  # another process was faster
            shutil.rmtree(scratch)
    return [
        "node",
        str(cache / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"),
        "--stdio",
    ]


@pytest.fixture(scope="module")
def server(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    folder = tmp_path_factory.mktemp("editor")
    assert main(["schema", str(folder), "--write"]) == 0
    started = LanguageServer(command, folder)
    yield started
    started.close()


def replaced(one: str, other: str) -> str:
    assert SPEC.count(one) == 1
    return SPEC.replace(one, other)


def line_of(text: str, word: str) -> int:
    return text[: text.index(word)].count("\n") + 1


def test_a_right_spec_has_no_marks(server: LanguageServer) -> None:
    assert server.faults(SPEC) == []


@pytest.mark.parametrize(
    ("right", "wrong", "word", "told"),
    [
        ("  epochs: 5", "  epohcs: 5", "epohcs", "epohcs"),
        ("dropout: 0.1}", "dropuot: 0.1}", "dropuot", "dropuot"),
        ("positive:", "positve:", "positve", "positve"),
        ("kind: csv", "kind: cvs", "cvs", "csv"),
        ("impute: median", "impute: medain", "medain", "median"),
        ("seed: 7", "seed: seven", "seven", "integer"),
        ("dropout: 0.1}", "dropout: 1.5}", "1.5", "above"),
        ("metric: auroc, at_least", "metric: aurok, at_least", "aurok", "auroc"),
    ],
)
def test_a_typo_is_marked_where_it_stands(
    right: str, wrong: str, word: str, told: str, server: LanguageServer
) -> None:
    text = replaced(right, wrong)
    found = server.faults(text)
    assert {line for line, _, _ in found} == {line_of(text, word)}
    assert any(told in message for _, _, message in found), found


def test_a_missing_section_is_told(server: LanguageServer) -> None:
    assert any("model" in message for _, _, message in server.faults(replaced(f"{MODEL}\n", "")))


def test_options_of_a_presets_kind_are_not_marked(server: LanguageServer) -> None:
    on_preset = replaced("- hardware: cpu", "- model: mlp").replace(MODEL, "model: {dropout: 0.3}")
    assert server.faults(on_preset) == []
    typo = on_preset.replace("dropout: 0.3", "dropuot: 0.3")
    assert {line for line, _, _ in server.faults(typo)} == {line_of(typo, "dropuot")}


def test_keys_are_offered(server: LanguageServer) -> None:
    present = {"batch_size", "optimizer", "schedule", "early_stopping", "class_weights", "checkpoint"}
    assert server.offers(replaced("  epochs: 5", "  @")) == set(Training.model_fields) - present
    assert server.offers(replaced("  accelerator: auto\n  precision: fp32", "  precision: fp32\n  @")) == {
        "accelerator", "devices", "nodes", "strategy", "launcher",
    }  # fmt: skip
    assert {"model"} <= server.offers(replaced(MODEL, "@"))


def test_kinds_and_their_options_are_offered(server: LanguageServer) -> None:
    assert server.offers(replaced(MODEL, "model:\n  kind: @")) == set(registry.kinds("model"))
    assert server.offers(replaced(MODEL, "model:\n  kind: mlp\n  @")) == {
        "hidden", "activation", "dropout", "max_embedding",
    }  # fmt: skip
    metrics = server.offers(replaced("metrics: [accuracy, auroc, log_loss]", "metrics:\n    - @"))
    assert metrics == set(registry.kinds("metric")) | {"bins", "q"}  # options, of a mapping without its kind
    assert issubclass(registry.find("metric", "auroc"), Metric)
    features = server.offers(replaced("citizen: binary", "citizen: @"))
    assert features == set(registry.kinds("feature"))
    assert set(registry.kinds("metric")) <= server.offers(
        replaced("{metric: auroc, at_least: 0.90}", "metric: @")
    )


def test_words_are_offered(server: LanguageServer) -> None:
    offered = server.offers(replaced("accelerator: auto", "accelerator: @"))
    assert {"auto", "cpu", "cuda"} <= offered


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("epochs: 5", "Times each training row is seen."),
        ("dropout: 0.1", "left out while training"),
        ("max_size: 1000", "Most values with a code of their own"),
        ("false_alarms", "Share (fraction 0-1) of columns told as drifted"),
        ("features:", "Each input column and its kind"),
    ],
)
def test_hovering_shows_what_a_key_does(word: str, text: str, server: LanguageServer) -> None:
    assert text in server.hover(SPEC, word)
