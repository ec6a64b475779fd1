"""Requests a second of `mlspec serve`, one row a request: 1 and 16 clients, with and without monitoring.

    python benchmarks/serve.py [--package FOLDER] [--seconds 1] [--rounds 15] [--starts 3] [--bento]

Beside it stands a floor: the same model behind a bare Starlette route that checks nothing (`json.loads`,
feeds, ONNX Runtime, `json.dumps`). Server and client are processes of their own. All servers stand at once,
and short slices of load go from one to the next, in a new order each round; a ratio of speeds is the median
over rounds of two slices of one round, so that a machine that is faster now and slower then moves both.
Processor time is all that a server took, by all its requests: what monitoring does between two slices is in
it, and it stays comparable where other work takes the cores. `--bento` adds the package under
`bentoml serve`. Results go to benchmarks/results/serve.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
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

import psutil

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = (1, 16)
SETTLES = 3.0
"""Seconds after which a monitor has looked at all that it was handed."""
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


def busy(server: int) -> float:
    """Return the processor time in seconds that a server and its children took so far."""
    processes = [psutil.Process(server)]
    processes += processes[0].children(recursive=True)
    return sum(sum(process.cpu_times()[:2]) for process in processes)


async def load(port: int, clients: int, body: bytes, seconds: float) -> dict[str, float]:
    lines = [
        "POST /predict HTTP/1.1",
        "host: x",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    times: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(client(port, request, begun + seconds, times) for _ in range(clients)))
    took = time.perf_counter() - begun
    times.sort()
    return {"requests": len(times), "rps": len(times) / took, "p99_ms": times[int(len(times) * 0.99)] * 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--starts", type=int, default=3)
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
    body = json.dumps(example_row(package)).encode()
    kinds = ["bare", "plain", "monitored"] + (["bento"] if arguments.bento else [])
    told: dict[str, dict[str, float]] = {}
    for clients in CLIENTS:
        slices: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        worked = dict.fromkeys(kinds, 0.0)
        for turn in range(arguments.starts):
            for kind, seconds in one_start(arguments, turn, clients, package, body, scratch, slices).items():
                worked[kind] += seconds
        told |= tell(clients, slices, worked)
    target = ROOT / "benchmarks" / "results" / "serve.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(told, indent=2) + "\n")


def one_start(
    arguments: argparse.Namespace,
    turn: int,
    clients: int,
    package: Path,
    body: bytes,
    scratch: Path,
    slices: dict[str, list[dict[str, float]]],
) -> dict[str, float]:
    """Start every server, add slices of load, and return the processor seconds that each took for them."""
    servers: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
    try:
        for kind in slices:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            servers[kind] = start(kind, package, port, scratch / "profiles"), port
            asyncio.run(load(port, clients, body, 0.5))
        time.sleep(SETTLES)
        before = {kind: busy(process.pid) for kind, (process, _) in servers.items()}
        for number in range(arguments.rounds):
            order = random.Random(1000 * turn + number).sample(list(slices), len(slices))
            for kind in order:
                slices[kind].append(asyncio.run(load(servers[kind][1], clients, body, arguments.seconds)))
        time.sleep(SETTLES)
        return {kind: busy(process.pid) - before[kind] for kind, (process, _) in servers.items()}
    finally:
        for process, _ in servers.values():
            stop(process)


def tell(
    clients: int, slices: dict[str, list[dict[str, float]]], worked: dict[str, float]
) -> dict[str, dict[str, float]]:
    told = {}
    cost = {kind: worked[kind] / sum(one["requests"] for one in slices[kind]) for kind in slices}
    for kind, found in slices.items():
        one = {key: round(statistics.median(slice[key] for slice in found), 1) for key in ("rps", "p99_ms")}
        one["cpu_us"] = round(cost[kind] * 1e6, 1)
        for other in ("bare", "plain"):
            pairs = zip(found, slices[other], strict=True)
            one[f"rps_of_{other}"] = round(statistics.median(a["rps"] / b["rps"] for a, b in pairs), 3)
            one[f"cpu_of_{other}"] = round(cost[kind] / cost[other], 3)
        told[f"{kind}, {clients} clients"] = one
        print(
            f"{kind:10}{clients:3} clients {one['rps']:6.0f} requests/s, p99 {one['p99_ms']:5.1f} ms,"
            f" processor {one['cpu_us']:5.0f} us; speed {one['rps_of_bare']:.2f} of bare,"
            f" {one['rps_of_plain']:.3f} of unwatched; processor {one['cpu_of_plain']:.3f} of unwatched"
        )
    return told


if __name__ == "__main__":
    main()
