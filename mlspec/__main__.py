"""`python -m mlspec`: the same as the command `mlspec`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # `python -m` looks for modules in the current folder first, and a repository is not code to run unasked.
    if not sys.flags.safe_path and Path(sys.path[0]).resolve() == Path.cwd():
        del sys.path[0]
    from mlspec.cli.main import entry

    entry()
