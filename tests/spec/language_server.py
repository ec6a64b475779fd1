"""A client of a language server over stdio, as far as a test needs one."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

YAML = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}


class LanguageServer:
    """Starts a server, opens texts in it and asks it."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.folder, self.number, self.told = folder, 0, {}  # type: ignore[var-annotated]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self.watch = threading.Timer(120, self.process.kill)
        self.watch.start()
        self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": {
                    "workspace": {"configuration": True},
                    "textDocument": {"completion": {}, "hover": {}},
                },
            },
        )
        self.send({"method": "initialized", "params": {}})

    def close(self) -> None:
        self.watch.cancel()
        self.process.kill()
        self.process.communicate()

    def send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """Return the next message, after answering it where the server asks and noting what it tells."""
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server ended or did not answer in time"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "id" in message and "method" in message:
            items = message.get("params", {}).get("items", [])
            answer = [YAML if item.get("section") == "yaml" else {} for item in items]
            self.send({"id": message["id"], "result": answer if items else None})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.told[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def ask(self, method: str, parameters: dict[str, Any]) -> Any:
        self.number += 1
        number = self.number
        self.send({"id": number, "method": method, "params": parameters})
        while True:
            message = self.read()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def open(self, text: str) -> str:
        """Open a text as a file of its own, wait for its diagnostics, and return its address."""
        address = (self.folder / f"spec_{len(self.told)}_{self.number}.yaml").as_uri()
        document = {"uri": address, "languageId": "yaml", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while address not in self.told:
            self.read()
        return address

    def faults(self, text: str) -> list[tuple[int, int, str]]:
        """Return line, column (both from 1) and message of each diagnostic."""
        found = self.told[self.open(text)]
        starts = [(item["range"]["start"], item["message"]) for item in found]
        return [(start["line"] + 1, start["character"] + 1, message) for start, message in starts]

    def offers(self, text: str) -> set[str]:
        """Return what is offered where `@` stands in a text."""
        place = _place(text, "@")
        address = self.open(text.replace("@", ""))
        found = self.ask("textDocument/completion", {"textDocument": {"uri": address}, "position": place})
        return {item["label"] for item in (found["items"] if isinstance(found, dict) else found)}

    def hover(self, text: str, word: str) -> str:
        """Return what is shown over a word."""
        address = self.open(text)
        position = {"textDocument": {"uri": address}, "position": _place(text, word)}
        found = self.ask("textDocument/hover", position)
        return str(found["contents"]["value"]) if found else ""


def _place(text: str, mark: str) -> dict[str, int]:
    before = text[: text.index(mark)]
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
