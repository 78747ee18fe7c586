"""A row is read by the names of its columns; what the row does not hold is never made up."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Row, create_engine, literal, select

from shared.database import from_row


@dataclass(frozen=True)
class Held:
    id: int
    count: int
    words: tuple[str, ...] = ()


def a_row(**columns: Any) -> Row[Any]:
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            return connection.execute(select(*(literal(value).label(name) for name, value in columns.items()))).one()
    finally:
        engine.dispose()


def test_each_field_is_the_column_of_its_name_whatever_their_order() -> None:
    assert from_row(Held, a_row(words="a b", count=3, id=7, other=1), words=("a", "b")) == Held(7, 3, ("a", "b"))


def test_a_default_never_stands_in_for_a_column_that_was_not_read() -> None:
    with pytest.raises(KeyError, match="words"):
        from_row(Held, a_row(id=7, count=3))
