"""What is the environment's fault is waited out; what is a record's fault is not."""

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from shared.bus.handlers import NotYet
from shared.bus.outage import is_outage
from shared.bus.producer import NotSent


class PostgresError(Exception):
    """What the driver raises, as far as it matters here."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    "sqlstate",
    [
        "57P03",  # the database system is starting up, or recovering after a crash
        "57P01",  # an administrator ended the session
        "57P02",  # another session crashed
        "53300",  # too many connections
        "53100",  # disk full
        "08006",  # connection failure
        "58030",  # input/output error
        "40001",  # serialization failure
        "40P01",  # deadlock
        "25006",  # a standby, in a switch-over
    ],
)
def test_a_database_that_cannot_just_now_is_the_environments_fault(sqlstate: str) -> None:
    assert is_outage(DBAPIError("select 1", None, PostgresError(sqlstate)))


@pytest.mark.parametrize("sqlstate", ["23505", "22P02", "42P01", "57014"])
def test_what_a_statement_did_wrong_is_its_records_fault(sqlstate: str) -> None:
    assert not is_outage(IntegrityError("insert", None, PostgresError(sqlstate)))


@pytest.mark.parametrize("error", [NotSent("away"), ConnectionRefusedError(), TimeoutError()])
def test_what_cannot_be_reached_is_the_environments_fault(error: Exception) -> None:
    assert is_outage(error)
    assert is_outage(OperationalError("select 1", None, error))


@pytest.mark.parametrize("error", [ValueError("bad"), NotYet("later"), KeyError("x")])
def test_what_a_handler_raises_is_its_records_fault(error: Exception) -> None:
    assert not is_outage(error)
