"""Requests a second of `mlspec serve`, one row a request: 1 and 16 clients, with and without monitoring.

    python benchmarks/serve.py [--package FOLDER] [--seconds 3] [--rounds 5] [--bento]

Beside it stands a floor: the same model behind a bare Starlette route that checks nothing (`json.loads`,
feeds, ONNX Runtime, `json.dumps`). Server and client are processes of their own; rounds are interleaved and
medians told. `--bento` adds the package under `bentoml serve`. Results go to benchmarks/results/serve.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = (1, 16)
NULL = "\ufdd0"


def bare(package: Path) -> Any:
    """The floor: as little as a service can do."""
    import numpy as np
    import onnxruntime as ort
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(package / "model.onnx"), options, providers=["CPUExecutionProvider"])
    contract = json.loads((package / "contract.json").read_text())
    columns = [(column["name"], column["tensor"], column["type"]) for column in contract["inputs"]]
    classes = contract["target"]["classes"]

    def feed(value: Any, tensor: str, kind: str) -> Any:
        if kind == "datetime":
            value = datetime.fromisoformat(value).timestamp() * 1000
        if tensor == "float64":
            return np.array([np.nan if value is None else value], np.float64)
        word = NULL if value is None else str(value).lower() if kind == "boolean" else str(value)
        return np.array([word], object)

    async def predict(request: Request) -> Response:
        row = json.loads(await request.body())
        feeds = {name: feed(row[name], tensor, kind) for name, tensor, kind in columns}
        label, shares = session.run(["label", "probabilities"], feeds)
        told = {"label": label[0], "probabilities": dict(zip(classes, shares[0].tolist(), strict=True))}
        return Response(json.dumps(told), media_type="application/json")

    return Starlette(routes=[Route("/predict", predict, methods=["POST"])])


def child(kind: str, package: Path, port: int, folder: Path) -> None:
    """Serve one thing until told to end."""
    import uvicorn

    if kind == "bare":
        application = bare(package)
    else:
        from mlspec.engine.serving.service import VARIABLE, service

        if kind == "monitored":
            os.environ[VARIABLE] = str(folder)
        application = service(str(package))
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="error", access_log=False)


def start(kind: str, package: Path, port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "BENTOML_DO_NOT_TRACK": "True"}
    if kind == "bento":
        bentoml = Path(sys.executable).with_name("bentoml")
        command = [str(bentoml), "serve", str(package), "--port", str(port), "--host", "127.0.0.1"]
    else:
        command = [
            sys.executable,
            __file__,
            "--child",
            kind,
            "--package",
            str(package),
            "--port",
            str(port),
            "--folder",
            str(folder),
        ]
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return process
        except OSError:
            time.sleep(0.1)
            if process.poll() is not None:
                break
    stop(process)
    raise SystemExit(f"{kind} did not start")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


async def client(port: int, request: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(body.decode())
        times.append(time.perf_counter() - begun)
    writer.close()


async def load(port: int, clients: int, body: bytes, seconds: float) -> dict[str, float]:
    lines = [
        "POST /predict HTTP/1.1",
        "host: x",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    await asyncio.gather(*(client(port, request, time.perf_counter() + 0.5, []) for _ in range(clients)))
    times: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(client(port, request, begun + seconds, times) for _ in range(clients)))
    times.sort()
    return {"rps": len(times) / (time.perf_counter() - begun), "p99_ms": times[int(len(times) * 0.99)] * 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bento", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.package, arguments.port, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        measure(arguments, Path(scratch))


def measure(arguments: argparse.Namespace, scratch: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from mlspec.engine.serving.example_row import example_row

    package = arguments.package
    if package is None:
        from tests.tiny_package import write_package

        package = write_package(scratch)
    row = example_row(package)
    body = json.dumps(row).encode()
    kinds = ["bare", "plain", "monitored"] + (["bento"] if arguments.bento else [])
    results: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        for kind in kinds:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            process = start(kind, package, port, scratch / "profiles")
            try:
                for clients in CLIENTS:
                    found = asyncio.run(load(port, clients, body, arguments.seconds))
                    results.setdefault(f"{kind}, {clients} clients", []).append(found)
            finally:
                stop(process)
    told = {
        name: {key: round(statistics.median(one[key] for one in found), 1) for key in ("rps", "p99_ms")}
        for name, found in results.items()
    }
    for name, numbers in told.items():
        print(f"{name:24} {numbers['rps']:8.0f} requests/s   p99 {numbers['p99_ms']:6.1f} ms")
    target = ROOT / "benchmarks" / "results" / "serve.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
