"""A process of this machine that is told what to do on a pipe, and tells on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Piped:
    """One process, and the two pipes."""

    process: subprocess.Popen[bytes]
    told: int
    """The reading end of the pipe on which it tells, lines of JSON."""

    @classmethod
    def started(cls, module: str, log: Path, workspace: Path, environment: Mapping[str, str]) -> Self:
        """Start one; the end of the pipe on which it tells is its one argument.

        Args:
            module: What it runs, of mlspec's own.
            log: What it prints is put behind what is in there.
            workspace: Where it works.
            environment: What it finds there besides this process's own.
        """
        told, tells = os.pipe()
        try:
            with open(log, "ab") as file:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", module, str(tells)],
                    stdin=subprocess.PIPE,
                    stdout=file,
                    stderr=file,
                    cwd=workspace,
                    env={**os.environ, **environment},
                    pass_fds=(tells,),
                    # Ctrl-C on a terminal reaches the one that follows, which tells the others.
                    start_new_session=True,
                )
        finally:
            os.close(tells)
        return cls(process, told)

    def order(self, given: Mapping[str, Any]) -> None:
        """Send it a line; one that is gone is found out by the end of its pipe.

        Its stdin is left open: the end of that tells it that nobody follows it any more.
        """
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(given).encode() + b"\n")
            self.process.stdin.flush()

    def close(self) -> None:
        """End it, where it has not ended, and let go of both pipes."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self.told)
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
