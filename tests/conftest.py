"""What every test shares: quiet libraries, state outside the user's folders, and no skips in CI."""

from __future__ import annotations

import functools
import os
import signal
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("mlspec", derandomize=True, deadline=None, database=None)
settings.load_profile("mlspec")

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests and their child processes leave behind in one folder that goes away."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell starts what runs in the background: children would not hear Ctrl-C either.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):  # xdist's workers inherit the environment
        state = tempfile.TemporaryDirectory(prefix="mlspec-tests-")
        config.add_cleanup(state.cleanup)
        for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
            os.environ[name] = str(Path(state.name) / name.lower())
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ[name] = str(Path(state.name) / name.lower())
    os.environ["NO_COLOR"] = "1"
    for name in ("MLSPEC_TRUST", "FORCE_COLOR"):
        os.environ.pop(name, None)


@functools.cache
def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of a device that this machine does not have."""
    for item in items:
        if item.get_closest_marker("gpu") and not _has_cuda():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
        if item.get_closest_marker("xla") and find_spec("torch_xla") is None:
            item.add_marker(pytest.mark.skip(reason="needs torch-xla: make test-xla"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skip into a failure where CI should have run the test."""
    report = yield
    elsewhere = item.get_closest_marker("gpu") or item.get_closest_marker("xla")
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and not elsewhere:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"CI must run this test, and it was skipped: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Turn a skipped file into an error where CI should have run it."""
    report = yield
    if IN_CI and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"CI must run this file, and it was skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout's folder."""
    return ROOT
