"""argparse, with this house's messages."""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import NoReturn

from mlspec.errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser that raises a `UsageError` where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        """Tell a wrong command line.

        Raises:
            UsageError: always.
        """
        fix = f"`{self.prog} --help` lists the options"
        prefix = "unrecognized arguments: "
        if message.startswith(prefix):
            from difflib import get_close_matches

            word = message.removeprefix(prefix).split()[0]
            near = get_close_matches(word.partition("=")[0], tuple(self._option_string_actions), 1)
            message = f"'{self.prog}' takes no '{word}'"
            fix = f"did you mean '{near[0]}'?" if near else fix
        raise UsageError(message, fix=fix)


def parse(verb: str, module: ModuleType, words: list[str]) -> argparse.Namespace:
    """Return the arguments of a verb; options may stand between the words.

    Raises:
        UsageError: the words do not fit the verb.
    """
    parser = Parser(
        prog=f"mlspec {verb}",
        description=module.SUMMARY,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more, and show tracebacks")
    module.add_arguments(parser)
    return parser.parse_intermixed_args(words)
