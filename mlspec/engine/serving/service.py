"""The application of a package, with monitoring where the environment asks for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from mlspec.engine.files import read_json
from mlspec.engine.serving.app import app
from mlspec.engine.serving.gathered import Gathered
from mlspec.engine.watching.profiles_folder import profiles_folder
from mlspec.engine.watching.segments import read_segments
from mlspec.engine.watching.tap import Tap
from mlspec.sdk.contract import Contract
from mlspec.sdk.segment import Segment
from mlspec.sdk.slot import Slot

VARIABLE = "MLSPEC_MONITOR"
"""Names the folder that profiles of rows and answers are written into."""


def service(package: str) -> Starlette:
    """Return the application that a package's `service.py` mounts.

    Args:
        package: The package's folder.
    """
    folder = Path(package)
    target = os.environ.get(VARIABLE)
    if not target:
        return _whole(app(folder))
    watched = {"kind": "whylogs", "of": read_json(folder / "deployment.json")["deployment"]}
    contract = Contract.revive(read_json(folder / "contract.json"))
    monitor: Any = Slot("monitor").choose(watched)
    profiles = profiles_folder(Path(target), folder)
    segments = [Segment.of(entry) for entry in read_segments(folder)]
    tap = Tap(monitor.observer(contract, profiles, segments), profiles, partial(Gathered, contract))
    return _whole(app(folder, taps=[tap]))


def _whole(application: Starlette) -> Starlette:
    """Return an application that takes every path, so that no page of BentoML's own shows through."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with application.router.lifespan_context(application):
            yield

    return Starlette(routes=[Mount("/", application)], lifespan=lifespan)
