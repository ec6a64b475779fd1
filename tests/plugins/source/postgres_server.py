"""A schema of its own on the PostgreSQL server that tests use, dropped afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

URL = os.environ.get("MLSPEC_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
"""A server on which schemas and roles may be made."""


class Server:
    """The server, and a schema of this test."""

    def __init__(self, schema: str) -> None:
        self.schema, self.url = schema, URL

    def run(self, *statements: str) -> None:
        """Do statements in this schema."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(URL) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET search_path = {self.schema}")
            for statement in statements:
                cursor.execute(statement)
            connection.commit()


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Make a schema, or skip where there is no server."""
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    try:
        connection = dbapi.connect(f"{URL}?connect_timeout=5")
    except Error:
        pytest.skip("no PostgreSQL server: set MLSPEC_TEST_POSTGRES to the URL of one")
    name = f"mlspec_test_{uuid.uuid4().hex[:12]}"
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {name}")
        connection.commit()
        try:
            yield Server(name)
        finally:
            connection.rollback()
            cursor.execute(f"DROP SCHEMA {name} CASCADE")
            connection.commit()
