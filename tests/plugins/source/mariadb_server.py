"""A database of its own on the MariaDB server that tests use, dropped afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

URL = os.environ.get("MLSPEC_TEST_MARIADB", "mysql://root@127.0.0.1:3306")
"""A server on which databases may be made."""


class Server:
    """The server, and a database of this test."""

    def __init__(self, name: str) -> None:
        self.name, self.url = name, f"{URL}/{name}"

    def run(self, *statements: str) -> None:
        """Do statements in this database."""
        with closing(_connect(self.name)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            for statement in statements:
                cursor.execute(statement)
            connection.commit()


def _connect(database: str = "") -> Any:
    import MySQLdb

    url = urlsplit(URL)
    return MySQLdb.connect(
        host=url.hostname, port=url.port or 3306, user=url.username, passwd=url.password or "", db=database
    )


@contextmanager
def mariadb_server() -> Iterator[Server]:
    """Make a database, or skip where there is no driver or no server."""
    MySQLdb = pytest.importorskip("MySQLdb", reason="pip install 'mlspec[mysql]'; it needs libmariadb-dev")
    try:
        connection = _connect()
    except MySQLdb.Error:
        pytest.skip("no MariaDB server: set MLSPEC_TEST_MARIADB to mysql://user@host:port")
    name = f"mlspec_test_{uuid.uuid4().hex[:12]}"
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield Server(name)
        finally:
            cursor.execute(f"DROP DATABASE {name}")
