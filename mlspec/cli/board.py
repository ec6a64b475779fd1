"""`mlspec board`: shows how trainings went, in TensorBoard."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import DEFAULT_SPEC

SUMMARY = "look at trainings and sweeps of this workspace in TensorBoard, on this machine alone"
HOST = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument(
        "spec", nargs="?", metavar="SPEC", help="show this spec's trainings alone (default: the workspace's)"
    )
    parser.add_argument("--port", type=int, default=6006, metavar="N", help="where it listens (default 6006)")


def board(arguments: argparse.Namespace) -> int:
    """Start TensorBoard on the loopback interface, and stay until it ends.

    Raises:
        MissingError: TensorBoard is not installed here, or nothing was trained yet.
        UsageError: the port is none.
    """
    from importlib.util import find_spec

    from mlspec.errors import MissingError, UsageError
    from mlspec.sdk.terminable import terminable

    if not 1 <= arguments.port <= 65535:
        raise UsageError(f"there is no port {arguments.port}", fix="--port 6006, or any up to 65535")
    if find_spec("tensorboard") is None:
        raise MissingError(
            "`mlspec board` needs the package 'tensorboard', which is not installed here",
            fix="pip install 'mlspec[board]'",
        )
    folder = _folder(arguments.spec)
    if not any(folder.glob("**/events.out.tfevents.*")):
        raise MissingError(f"no training has written events under '{folder}' yet", fix="`mlspec run`")
    sys.stderr.write(harmless(f"http://{HOST}:{arguments.port} shows {folder}; Ctrl-C ends it\n"))
    words = ["--logdir", str(folder), "--host", HOST, "--port", str(arguments.port)]
    with terminable(), subprocess.Popen([sys.executable, "-m", "tensorboard.main", *words]) as server:
        try:
            return int(server.wait() != 0)
        except BaseException:
            server.terminate()
            raise


def _folder(spec: str | None) -> Path:
    """Return where the events lie: of one spec, or of all in the workspace."""
    from mlspec.compose.workspace import workspace_of

    if spec is None:
        return workspace_of(Path.cwd() / DEFAULT_SPEC) / "artifacts"
    from mlspec.errors import MissingError
    from mlspec.spec.load import load

    path = Path(spec) / DEFAULT_SPEC if Path(spec).is_dir() else Path(spec)
    if not path.is_file():
        raise MissingError(f"there is no spec at '{path}'", fix="check the path")
    loaded = load(path, data=False)
    return loaded.workspace / "artifacts" / loaded.spec.name / "logs"
