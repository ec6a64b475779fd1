"""The language as a page of Markdown, made of the schema alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlspec.compose.write import write
from mlspec.sdk.fields import SERVER_URL
from mlspec.sdk.selection import TABLE_NAME, TABLE_PLACE

COMMAND = "mlspec schema --markdown"
_INTRO = f"""\
# The language

Every key of a spec: what it takes, what it is where nothing is said, and what it does. `{COMMAND}`
made this page from the schema that editors read too (`mlspec schema --write`); in a trusted workspace it also
tells the workspace's own plug-ins.

- A **kind** fills a part of the spec: `model: {{kind: mlp, dropout: 0.1}}`. Where a kind needs nothing
  else, its name alone will do: `model: mlp`.
- A key in bold must be said, by the spec or by a preset that it stands on.
- An empty key says nothing. Keys that start with `x-` are notes; they may stand in every section.
- `${{path.to.key}}`, as a whole value, is the value of another key.
- Unknown keys are errors; `mlspec why KEY` tells where a value comes from.

The [cookbook](cookbook.md) shows the keys at work.
"""
_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "mapping",
}
_BOUNDS = {
    "exclusiveMinimum": "more than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
}
_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "name (small letters, digits, `_`)",
    r"^[\x01-\x7e]$": "one ASCII sign",
    r"^\d+(\.\d+)?(ms|s|m|h|d)$": "duration (a number and `ms`, `s`, `m`, `h` or `d`)",
    r"^[0-9]+(\.[0-9]+)?([kKMGT]?B|[KMGT]iB)$": "size (a number and `kB`, `MB`, `GB`, `KiB`, `MiB`, ...)",
    r"^\$\{oc\.env:([A-Za-z_][A-Za-z0-9_]*)\}$": "secret (`${oc.env:NAME}`)",
    SERVER_URL: "secret (`${oc.env:NAME}`), or a URL without a password",
    TABLE_PLACE: "name, perhaps with schema and catalog (`lake.sales.orders`)",
    TABLE_NAME: "name, or schema and name (`sales.orders`)",
}
_QUIET = ("#/$defs/reference", "#/$defs/switch", "#/$defs/unquoted")


def reference(schema: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        schema: What `mlspec.spec.schema.schema` gives.
    """
    return "\n".join([_INTRO, *_Reference(schema).lines()])


class _Reference:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema, self.definitions = schema, schema["$defs"]
        self.told: set[str] = set()

    def lines(self) -> Iterator[str]:
        properties = self.schema["properties"]
        plain = {name: value for name, value in properties.items() if not self._is_part(value)}
        yield "## At the top\n"
        needed = {name for part in self.schema["allOf"] for name in part["else"].get("required", ())}
        yield from self._table(plain, needed)
        parts = {part: self._needed(part) for part in properties}
        for name, value in properties.items():
            if name in plain:
                continue
            yield f"## {name}\n"
            yield f"{value['description']}\n"
            rows = dict(self._rows(name, value))
            if rows:
                yield from self._table(rows, parts[name])
            for slot in self._slots(value):
                yield from self._slot(slot)

    def _needed(self, part: str) -> set[str]:
        """Return the dotted keys that a part must say."""
        found: set[str] = set()
        for condition in self.schema["allOf"]:
            inside = condition["else"].get("properties", {})
            if part in inside:
                found |= set(_required(inside[part], part))
        return found

    def _is_part(self, value: Mapping[str, Any]) -> bool:
        return any(
            option.get("$ref", "").startswith(("#/$defs/section_", "#/$defs/slot_"))
            for option in _each(value)
        )

    def _rows(self, path: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give each key of a section, those of the sections in it as well."""
        for option in _options(value):
            name = option.get("$ref", "").removeprefix("#/$defs/")
            if name.startswith("section_"):
                for key, inner in self.definitions[name]["properties"].items():
                    if not self._has_section(inner):
                        yield f"{path}.{key}", inner
                    yield from self._rows(f"{path}.{key}", inner)
                    for named in _options(inner):
                        if isinstance(named.get("additionalProperties"), Mapping):
                            yield from self._rows(f"{path}.{key}.NAME", named["additionalProperties"])
        if path.count(".") == 0 and not any(
            "section_" in option.get("$ref", "") for option in _options(value)
        ):
            yield path, value

    def _has_section(self, value: Mapping[str, Any]) -> bool:
        return any(option.get("$ref", "").startswith("#/$defs/section_") for option in _options(value))

    def _table(self, rows: Mapping[str, Mapping[str, Any]], needed: set[str]) -> Iterator[str]:
        yield "| key | takes | default | |"
        yield "|---|---|---|---|"
        for name, value in rows.items():
            key = f"**`{name}`**" if name in needed else f"`{name}`"
            default = f"`{_inline(value['default'])}`" if "default" in value else ""
            text = value.get("description", "")
            shown = [*value.get("examples", []), *value.get("x-examples", [])]
            if shown and shown[0] != value.get("default"):
                text += f" Such as `{_inline(shown[0])}`."
            yield f"| {key} | {_cell(self._takes(value))} | {_cell(default)} | {_cell(text)} |"
        yield ""

    def _takes(self, value: Mapping[str, Any]) -> str:
        words = [self._option(option) for option in _options(value) if option.get("$ref") not in _QUIET]
        return " or ".join(dict.fromkeys(word for word in words if word))

    def _option(self, option: Mapping[str, Any]) -> str:
        name = option.get("$ref", "").removeprefix("#/$defs/")
        if name.startswith("section_"):
            return "the keys below"
        if name.startswith("slot_"):
            slot = name.removeprefix("slot_")
            return f"a [{slot}](#{_anchor(slot)})"
        if "allOf" in option:
            return self._option(option["allOf"][0])
        if "enum" in option or "const" in option:
            return " or ".join(f"`{word}`" for word in option.get("enum", [option.get("const")]))
        kind = option.get("type")
        if kind == "array":
            return self._list(option)
        if kind == "object":
            values = option.get("additionalProperties")
            return f"names, each with {self._takes(values)}" if isinstance(values, Mapping) else "mapping"
        if isinstance(kind, list):
            return " or ".join(_WORDS[word] for word in kind if word in _WORDS)
        if kind not in _WORDS:
            return ""
        parts = [_PATTERNS.get(option.get("pattern", ""), _WORDS[kind])]
        if option.get("pattern") and option["pattern"] not in _PATTERNS:
            parts.append(f"like `{option['pattern']}`")
        parts += [f"{word} {option[bound]}" for bound, word in _BOUNDS.items() if bound in option]
        if option.get("pattern") == r"^[a-z][a-z0-9_]*$":
            parts.append(f"at most {option['maxLength']} characters")
        return ", ".join(parts)

    def _list(self, option: Mapping[str, Any]) -> str:
        if "prefixItems" in option:
            return "a list of " + " and ".join(self._takes(item) for item in option["prefixItems"])
        sizes = [f"at least {option['minItems']}"] if option.get("minItems") else []
        sizes += [f"at most {option['maxItems']}"] if "maxItems" in option else []
        return "a list" + (f" ({', '.join(sizes)})" if sizes else "") + f" of {self._takes(option['items'])}"

    def _slots(self, value: Any) -> Iterator[str]:
        """Give the slots below a value that were not told yet, in order."""
        if isinstance(value, list):
            for item in value:
                yield from self._slots(item)
        elif isinstance(value, Mapping):
            name = str(value.get("$ref", "")).removeprefix("#/$defs/")
            if name.startswith("section_"):
                yield from self._slots(self.definitions[name]["properties"])
            elif name.startswith("slot_") and name not in self.told:
                self.told.add(name)
                yield name.removeprefix("slot_")
            for key, item in value.items():
                if key not in ("examples", "x-examples", "default"):
                    yield from self._slots(item)

    def _slot(self, slot: str) -> Iterator[str]:
        yield f"### Kinds of {slot}\n"
        options = self.definitions[f"slot_{slot}"]["oneOf"]
        kinds = [option["$ref"].removeprefix("#/$defs/") for option in options if "$ref" in option]
        for name in kinds:
            found = self.definitions[name]
            yield f"#### {slot}: {name.removeprefix(f'{slot}_')}\n"
            yield f"{found['description']}\n"
            rows = {key: value for key, value in found["properties"].items() if key != "kind"}
            inner: dict[str, Any] = {}
            for key, value in rows.items():
                if self._has_section(value):
                    inner |= {f"{key}.{name}": item for name, item in self._inside(value)}
                else:
                    inner[key] = value
            if inner:
                yield from self._table(inner, _musts(value["properties"] for value in [found]))
            for example in found.get("x-examples", [])[:1]:
                yield f"```yaml\n{_inline(example)}\n```\n"

    def _inside(self, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for option in _options(value):
            name = option.get("$ref", "").removeprefix("#/$defs/")
            if name.startswith("section_"):
                yield from self.definitions[name]["properties"].items()


def _musts(tables: Any) -> set[str]:
    """Return the keys of a kind that take no null: those without a default."""
    return {
        name
        for table in tables
        for name, value in table.items()
        if name != "kind" and not any(option.get("type") == "null" for option in _options(value))
    }


def _required(condition: Mapping[str, Any], path: str) -> Iterator[str]:
    inside = condition.get("then", condition)
    for name in inside.get("required", ()):
        if name != "kind" or path.endswith("target"):
            yield f"{path}.{name}"
    for name, inner in inside.get("properties", {}).items():
        if "allOf" not in inner:
            yield from _required(inner, f"{path}.{name}")


def _options(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(value["anyOf"]) if "anyOf" in value else [value]


def _each(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give a value's options, those of its lists and mappings as well."""
    for option in _options(value):
        yield option
        for key in ("items", "additionalProperties"):
            if isinstance(option.get(key), Mapping):
                yield from _each(option[key])
        yield from option.get("allOf", ())


def _inline(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, str):
        quoted = any(sign in value for sign in ",[]{}\"'#:>|&*!%@`\\") or not value or value != value.strip()
        return json.dumps(value, ensure_ascii=False) if quoted else write({"a": value})[3:].strip()
    return json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _anchor(slot: str) -> str:
    return f"kinds-of-{slot}"
