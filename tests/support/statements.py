"""What a block says to PostgreSQL, word for word: how many times a request goes there and back is a law of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from shared.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Give a list that holds each statement of this database's connections, BEGIN and COMMIT too, once it was run."""
    found: list[str] = []

    def straight(logged: Any) -> None:
        found.append(logged.query)

    def listen(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.driver_connection.add_query_logger(straight)

    def built(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "checkout", listen)
    # SQLAlchemy runs what the driver has prepared, of which the driver tells nobody.
    event.listen(engine, "before_cursor_execute", built)
    try:
        yield found
    finally:
        event.remove(engine, "checkout", listen)
        event.remove(engine, "before_cursor_execute", built)
