"""What a plug-in of any slot must do: what a user, the plan and the schema rely on."""

from __future__ import annotations

import ast
import itertools
import json
import sys
from pathlib import Path

from mlspec.sdk.fields import parameters
from mlspec.sdk.frozen import freeze
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.slot import Slot
from mlspec.testing.check import Check, hold

MAY_IMPORT = ("mlspec.sdk", "mlspec.errors", "pydantic", "pydantic_core", "typing_extensions")
"""What the top of a plug-in's file may import, besides the standard library."""


def _says_what_it_is(plugin: Plugin, folder: Path) -> None:
    kind = type(plugin)
    inherited = {base.__doc__ for base in kind.__mro__[1:]}
    hold(
        kind.__doc__ and kind.__doc__ not in inherited, f"the class '{kind.__name__}' has no text of its own"
    )
    hold(
        kind.model_config.get("frozen") and kind.model_config.get("extra") == "forbid",
        f"the class '{kind.__name__}' can be changed, or takes options that it does not know",
    )


def _describes_every_option(plugin: Plugin, folder: Path) -> None:
    described: set[str] = set()
    for base in type(plugin).__mro__:
        if not issubclass(base, Plugin):
            continue
        tree = ast.parse(Path(sys.modules[base.__module__].__file__ or "").read_text("utf-8"))
        body = next(
            (
                node.body
                for node in tree.body
                if isinstance(node, ast.ClassDef) and node.name == base.__name__
            ),
            [],
        )
        for field, text in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                described.add(ast.unparse(field.target))
    missing = sorted(set(type(plugin).model_fields) - described)
    hold(not missing, f"no text stands under {', '.join(missing)}")


def _survives_the_plan(plugin: Plugin, folder: Path) -> None:
    kind = type(plugin)
    plain = json.loads(json.dumps(parameters(plugin), allow_nan=False))
    hold(plain["kind"] == plugin.kind, f"its kind is told as '{plain['kind']}'")
    for again in (kind.revive(plain), Slot(kind.slot).choose(freeze(plain))):
        hold(parameters(again) == parameters(plugin), f"{plain} comes back as {parameters(again)}")


def _refuses_an_unknown_option(plugin: Plugin, folder: Path) -> None:
    try:
        type(plugin).revive({**parameters(plugin), "no_such_option": 1})
    except ValueError as fault:
        hold("no_such_option" in str(fault), f"the fault does not name the option: {fault}")
        return
    hold(False, "the option 'no_such_option' is taken")


def _imports_little_at_its_top(plugin: Plugin, folder: Path) -> None:
    file = Path(sys.modules[type(plugin).__module__].__file__ or "")
    for node in ast.parse(file.read_text("utf-8")).body:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            hold(node.level == 0, f"{file.name} imports '.{node.module}' at its top")
            names = [node.module or ""]
        for name in names:
            allowed = name.partition(".")[0] in sys.stdlib_module_names or any(
                name == good or name.startswith(f"{good}.") for good in MAY_IMPORT
            )
            hold(allowed, f"{file.name} imports '{name}' at its top")


CHECKS = (
    Check(
        "says what it is, and takes no unknown fields",
        "write a docstring under the class, and derive from the slot's class without another model_config",
        _says_what_it_is,
    ),
    Check(
        "describes every option",
        "write a text under each field: it becomes the schema's",
        _describes_every_option,
    ),
    Check(
        "is the same after a plan was written and read",
        "options must be plain data: numbers, texts, tuples and mappings",
        _survives_the_plan,
    ),
    Check("refuses an unknown option", "do not change model_config", _refuses_an_unknown_option),
    Check(
        "imports nothing heavy at its top",
        "import it inside the method, or in a private sibling `_name.py`",
        _imports_little_at_its_top,
    ),
)
