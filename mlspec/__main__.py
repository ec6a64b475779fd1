"""`python -m mlspec`: the same as the command `mlspec`."""

from mlspec.cli.main import entry

if __name__ == "__main__":
    entry()
