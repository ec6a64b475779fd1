"""The command `mlspec`: finds the verb's file, runs it, and tells what went wrong."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

NO_TELEMETRY = {
    "DVC_NO_ANALYTICS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "WHYLOGS_NO_ANALYTICS": "True",
    "RAY_USAGE_STATS_ENABLED": "0",
}
INTERRUPTED = 130
TERMINATED = 143


def entry() -> None:
    """Run the command line of this process and leave with its exit code."""
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    if code in (INTERRUPTED, TERMINATED):
        # All is told and put away: libraries would take seconds to give back what the system takes at once.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str]) -> int:
    """Return an exit code.

    0 done, 1 failed, 2 wrong, 3 missing, 10 work to do, 130 interrupted, 143 terminated.
    """
    # Importing makes many objects that all live on: looking for garbage among them is wasted time.
    gc.set_threshold(100_000, 20, 20)
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)
    try:
        return _run(argv)
    except BrokenPipeError:
        _drop_stdout()
        return 0
    except KeyboardInterrupt as stop:
        from mlspec.errors import Terminated

        ended = isinstance(stop, Terminated)
        print(f"\nmlspec: {'terminated' if ended else 'interrupted'}", file=sys.stderr)  # noqa: T201
        return TERMINATED if ended else INTERRUPTED


def _run(argv: Sequence[str]) -> int:
    from mlspec.errors import MlspecError
    from mlspec.sdk.heeded import heeded

    json, verbose = "--json" in argv, any(word in ("-v", "--verbose") for word in argv)
    try:
        with heeded():
            return _dispatch(argv)
    except MlspecError as error:
        from mlspec.cli.console import tell

        if verbose and error.__cause__ is not None:
            _traceback()
        tell(error, json=json)
        return error.exit_code
    except (KeyboardInterrupt, BrokenPipeError, SystemExit):
        raise
    except Exception as fault:  # noqa: BLE001 - the edge: a user never sees a traceback unless asked for
        from mlspec.cli.console import tell

        if verbose:
            _traceback()
        what = f"mlspec stumbled: {type(fault).__name__}: {fault}"
        tell(MlspecError(what, fix="this is a fault of mlspec; `-v` shows where it happened"), json=json)
        return 1


def _dispatch(argv: Sequence[str]) -> int:
    if not argv or (argv[0] in ("-h", "--help", "help") and len(argv) == 1):
        _print_help()
        return 0 if argv else 2
    if argv[0] in ("-V", "--version"):
        from mlspec import __version__

        print(f"mlspec {__version__}")  # noqa: T201
        return 0
    words = list(argv)
    if words[0] in ("-v", "--verbose") and len(words) > 1:
        words = [words[1], words[0], *words[2:]]
    if words[0] == "help" and len(words) > 1:
        words = [words[1], "--help", *words[2:]]
    return _run_verb(words[0], words[1:])


def _run_verb(verb: str, words: list[str]) -> int:
    from importlib import import_module

    from mlspec.cli._verbs import verbs
    from mlspec.errors import UsageError

    known = verbs()
    if verb not in known:
        from difflib import get_close_matches

        near = get_close_matches(verb, known, 1)
        fix = f"did you mean 'mlspec {near[0]}'?" if near else "`mlspec --help` lists the verbs"
        raise UsageError(f"no verb is called '{verb}'", fix=fix)
    module = import_module(f"mlspec.cli.{verb}")
    from mlspec.cli._parser import parse

    arguments = parse(verb, module, words)
    if arguments.verbose:
        import logging

        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    code: int = getattr(module, verb)(arguments)
    return code


def _print_help() -> None:
    from mlspec.cli._verbs import verbs

    lines = [
        "usage: mlspec VERB [SPEC] [KEY=VALUE ...] [options]",
        "",
        "One YAML file for the whole life of a model.",
        "",
    ]
    lines += [f"  {name:<10} {summary}" for name, summary in verbs().items()]
    lines += [
        "",
        "SPEC is ./spec.yaml where it is not named. `mlspec VERB --help` tells more of a verb.",
    ]
    print("\n".join(lines))  # noqa: T201


def _traceback() -> None:
    import traceback

    traceback.print_exc()


def _drop_stdout() -> None:
    # The reader went away: without this, Python complains once more while it shuts down.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
