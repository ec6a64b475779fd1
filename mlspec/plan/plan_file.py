"""plan.yaml: the resolved parameters of a pipeline, one key a line, sorted; a plan has but one text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlspec.errors import PlanError
from mlspec.plan.plan import Plan

HEAD = "# Written by `mlspec plan --write` and `mlspec run`. Commit it; change the spec, not this.\n"
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def plan_file(plan: Plan, pipeline: str) -> str:
    """Return the text of `pipelines/<pipeline>/plan.yaml`."""
    steps = tuple(step for step in plan.steps if step.pipeline == pipeline)
    content: dict[str, Any] = {step.name: step.parameters for step in steps}
    content["inputs"] = {step.name: step.inputs for step in steps if step.inputs}
    if pipeline == plan.name:
        content["plan"] = {
            "spec": plan.spec,
            "overlays": list(plan.overlays),
            "overrides": list(plan.overrides),
        }
        if plan.sample is not None:
            content["plan"]["sample"] = plan.sample
    elif plan.inferred:
        content["inferred"] = plan.inferred
    return HEAD + "".join(f"{line}\n" for line in _lines(content, ""))


def read_plan_file(path: Path) -> dict[str, Any] | None:
    """Return the content of a plan.yaml; None where there is none.

    Raises:
        PlanError: the file was changed by hand into something that is no plan.
    """
    import yaml

    try:
        # What this file holds reads the same in YAML 1.1 and 1.2: everything doubtful is quoted.
        content = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise _broken(path) from fault
    if not isinstance(content, dict):
        raise _broken(path)
    return content


def _broken(path: Path) -> PlanError:
    name = f"{path.parent.name}/{path.name}"
    return PlanError(
        f"'{name}' is no plan", where=str(path), fix="remove it, and `mlspec plan --write` makes it anew"
    )


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _entry(f"{indent}{_scalar(str(key))}:", value[key], indent + "  ")
    else:
        for item in value:
            if isinstance(item, Mapping | list | tuple) and item:
                first, *rest = _lines(item, indent + "  ")
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(item)}"


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        yield head
        yield from _lines(value, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else _quoted(value)
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    raise PlanError(
        f"a parameter is a {type(value).__name__}, which no plan can hold", fix="use text and numbers"
    )


def _number(value: float) -> str:
    text = repr(value)
    if text in ("inf", "-inf"):
        return text.replace("inf", ".inf")
    if text == "nan":
        raise PlanError("a parameter is NaN, which equals nothing, not even itself", fix="leave the key out")
    mantissa, mark, exponent = text.partition("e")
    # Without the dot, YAML 1.1 reads 1e-05 as text.
    return f"{mantissa}.0e{exponent}" if mark and "." not in mantissa else text


def _quoted(value: str) -> str:
    # JSON's escapes are YAML's, but for the surrogate pairs that `ensure_ascii` would write.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() or char == " " else f"\\U{ord(char):08x}" for char in text)
