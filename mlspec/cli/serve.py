"""`mlspec serve`: answer over HTTP with the packed model."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli.arguments import DEFAULT_SPEC, add_spec, spec_of
from mlspec.errors import MissingError, Place, UsageError

if TYPE_CHECKING:
    import socket

    from mlspec.engine.watching.tap import Tap

SUMMARY = "answer over HTTP with the packed model"
INSTALL = "pip install 'mlspec[serve]'"


@dataclass(frozen=True)
class _Served:
    """What is served, and how it is watched."""

    package: Path
    host: str
    port: int
    store: Path
    """Where a Bento is built."""
    monitors: tuple[tuple[Any, Path], ...]
    """Each monitor, and the folder its profiles go below."""
    token: Place | None = None
    """Where the spec names the token."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    parser.epilog = "SPEC may be a package's folder as well: that of the step package-<deployment>."
    parser.add_argument("--deployment", metavar="NAME", help="which deployment of the spec")
    parser.add_argument("--port", type=int, help="where to listen; 0 takes a free one (default: the spec's)")
    parser.add_argument("--host", help="the address to listen on (default: the spec's, else 127.0.0.1)")
    parser.add_argument("--folder", type=Path, help="where profiles of rows and answers are written")
    parser.add_argument("--no-monitor", action="store_true", help="watch nothing")
    parser.add_argument("--stale", action="store_true", help="serve a package that is older than the plan")
    parser.add_argument(
        "--build", action="store_true", help="build a Bento of the package, and serve nothing"
    )


def serve(arguments: argparse.Namespace) -> int:
    """Serve until told to end; or build a Bento."""
    served = _served(arguments)
    if arguments.no_monitor:
        served = replace(served, monitors=())
    if arguments.build:
        return _build(served, arguments.json)
    try:
        import uvicorn

        from mlspec.engine.serving.app import app
    except ModuleNotFoundError as error:
        raise MissingError(f"serving needs '{error.name}'", fix=INSTALL) from error
    _check_token(served)
    taps = _taps(served)
    application = app(served.package, taps=taps)
    with _listen(served.host, served.port) as listening:
        _tell(served, listening.getsockname()[1], arguments.json)
        config = uvicorn.Config(
            application,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _served(arguments: argparse.Namespace) -> _Served:
    first = Path(arguments.words[0]) if arguments.words else Path(DEFAULT_SPEC)
    if (first / "deployment.json").is_file():
        return _of_package(arguments, first)
    if first.is_dir() and not (first / DEFAULT_SPEC).is_file():
        raise MissingError(
            f"'{first}' holds neither a spec.yaml nor a package", fix="name a spec, or a package"
        )
    from mlspec.run.packed import packed

    path, overrides, overlays = spec_of(arguments)
    found = packed(path, overrides, overlays, deployment=arguments.deployment, stale=arguments.stale)
    if arguments.stale:
        from mlspec.engine.graph.vet import vet

        vet(found.folder / "model.onnx")  # no lock speaks for it
    deployment: Any = found.spec.deployments[found.deployment]
    if not hasattr(deployment, "port"):
        raise UsageError(f"'{found.deployment}' is a {deployment.kind} deployment, which listens nowhere")
    watching = {
        name: one for name, one in found.spec.monitoring.monitors.items() if one.of == found.deployment
    }
    if arguments.folder is not None and len(watching) > 1:
        raise UsageError(f"{' and '.join(watching)} would write into one folder", fix="leave --folder out")
    below = found.artifacts / "logs" / "monitor" / found.deployment
    return _Served(
        package=found.folder,
        host=arguments.host or deployment.host,
        port=deployment.port if arguments.port is None else arguments.port,
        store=found.artifacts / "build" / found.folder.name,
        monitors=tuple((one, arguments.folder or below / name) for name, one in watching.items()),
        token=found.place("token"),
    )


def _of_package(arguments: argparse.Namespace, package: Path) -> _Served:
    if arguments.words[1:]:
        raise UsageError(f"'{arguments.words[1]}' changes a spec, and '{package}' is a package")
    from mlspec.engine.files import read_json
    from mlspec.engine.graph.vet import vet
    from mlspec.sdk.slot import Slot

    vet(package / "model.onnx")
    monitors: tuple[tuple[Any, Path], ...] = ()
    if arguments.folder is not None:
        of = read_json(package / "deployment.json")["deployment"]
        monitors = ((Slot("monitor").choose({"kind": "whylogs", "of": of}), arguments.folder),)
    return _Served(
        package=package,
        host=arguments.host or "127.0.0.1",
        port=3000 if arguments.port is None else arguments.port,
        store=package.resolve().parent / "build" / package.resolve().name,
        monitors=monitors,
    )


def _check_token(served: _Served) -> None:
    """Look for the token before anything listens.

    Raises:
        MissingError: the variable that the package names is not set here.
    """
    from mlspec.engine.files import read_json
    from mlspec.engine.serving.bearer import token

    name = read_json(served.package / "deployment.json").get("token_variable")
    if name is None:
        return
    try:
        token(name)
    except MissingError as error:
        raise MissingError(error.what, where=served.token, fix=error.fix) from None


def _taps(served: _Served) -> list[Tap]:
    from functools import partial

    from mlspec.cli.console import stderr
    from mlspec.engine.files import read_json
    from mlspec.engine.serving.gathered import Gathered
    from mlspec.engine.watching.profiles_folder import profiles_folder
    from mlspec.engine.watching.segments import read_segments
    from mlspec.engine.watching.tap import Tap
    from mlspec.sdk.contract import Contract
    from mlspec.sdk.segment import Segment

    contract = Contract.revive(read_json(served.package / "contract.json"))
    segments = [Segment.of(entry) for entry in read_segments(served.package)]
    taps = []
    for monitor, base in served.monitors:
        folder = profiles_folder(base, served.package)
        try:
            observer = monitor.observer(contract, folder, segments)
        except ModuleNotFoundError as error:
            raise MissingError(
                f"monitoring needs '{error.name}'", fix=f"{INSTALL}, or --no-monitor"
            ) from error
        taps.append(Tap(observer, folder, partial(Gathered, contract), say=stderr().print))
    return taps


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; said before anything else is, so that a taken port is told plainly."""
    import errno
    import socket

    if not 0 <= port <= 65535:
        raise UsageError(f"{port} is no port", fix="a number from 0 to 65535")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            fix = "end what listens there, or choose another: --port 0 takes a free one"
            raise MissingError(f"port {port} of {host} is taken", fix=fix) from error
        raise MissingError(f"cannot listen on port {port} of '{host}': {error.strerror or error}") from error
    return listening


def _tell(served: _Served, port: int, as_json: bool) -> None:
    from mlspec.cli.console import emit, stderr, stdout
    from mlspec.engine.files import read_json
    from mlspec.engine.serving.example_row import example_row

    host = f"[{served.host}]" if ":" in served.host else served.host
    url = f"http://{host}:{port}"
    row = json.dumps(example_row(served.package) or {}, ensure_ascii=False)
    settings = read_json(served.package / "deployment.json")
    version, variable = settings["model_version"], settings.get("token_variable")
    asked = f' -H "authorization: Bearer ${variable}"' if variable else ""
    curl = f"curl {url}/predict{asked} -H 'content-type: application/json' -d {shlex.quote(row)}"
    folders = [str(base) for _, base in served.monitors]
    if as_json:
        emit(
            {
                "url": url,
                "curl": curl,
                "model_version": version,
                "package": str(served.package),
                "profiles": folders,
            }
        )
        return
    stdout().print(f"{url}/predict answers with model {version}\n\n{curl}\n")
    for folder in folders:
        stderr().print(f"profiles of rows and answers go to {folder}", style="dim")
    stderr().print("Ctrl-C ends it", style="dim")


def _build(served: _Served, as_json: bool) -> int:
    from mlspec.cli.console import emit, stdout
    from mlspec.engine.serving.bento import bento

    built = bento(served.package, served.store)
    if as_json:
        emit({"tag": built.tag, "store": str(built.store), "folder": str(built.folder)})
        return 0
    home = f"BENTOML_HOME={shlex.quote(str(built.store))}"
    stdout().print(f"built {built.tag} in {built.folder}\n")
    stdout().print(f"{home} bentoml serve {built.tag} --host 127.0.0.1")
    stdout().print(f"{home} bentoml containerize {built.tag}")
    return 0
