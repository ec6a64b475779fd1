"""What a spec's plug-ins need on the machine where they work."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from mlspec.errors import MissingError
from mlspec.sdk.plugin import Plugin


def check_needs(plugins: Iterable[Plugin]) -> None:
    """Refuse to start work for which a package is missing here; `validate` and `plan` never ask.

    Raises:
        MissingError: with every missing package and the one command that installs them.
    """
    missing: dict[str, str] = {}
    users: dict[str, str] = {}
    for plugin in plugins:
        for module, extra in type(plugin).requires.items():
            if module not in missing and find_spec(module) is None:
                missing[module] = extra
                users[module] = f"{plugin.slot} '{plugin.kind}'"
    if not missing:
        return
    module = next(iter(missing))
    more = f" (and {', '.join(list(missing)[1:])})" if len(missing) > 1 else ""
    extras = ",".join(dict.fromkeys(missing.values()))
    raise MissingError(
        f"the {users[module]} needs the package '{module}'{more}, which is not installed here",
        fix=f"pip install 'mlspec[{extras}]'",
    )
