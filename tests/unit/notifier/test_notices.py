from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.model.notices import GATHER, Told, Truth, notice
from services.notifier.model.purposes import Channel, Occurrence
from shared.walltime import parse_wall, to_instant


def at(wall: str) -> datetime:
    return to_instant(parse_wall(wall), "America/New_York")


OLD, NEW, MONDAY = at("2026-12-15T10:00"), at("2026-12-15T14:00"), at("2026-12-14T15:00")
TOLD = Told(Channel.SMS, "1d", OLD, MONDAY - timedelta(hours=5))
OFF = Told(Channel.SMS, "cancelled", OLD, MONDAY - timedelta(hours=1))


@pytest.mark.parametrize(
    ("told", "truth", "occurrence"),
    [
        ([TOLD], Truth(NEW, open=True, off=False), Occurrence.MOVED),
        ([TOLD], Truth(OLD, open=False, off=True), Occurrence.CANCELLED),
        ([TOLD, OFF], Truth(OLD, open=True, off=False), Occurrence.STANDS),
        ([TOLD, OFF], Truth(NEW, open=True, off=False), Occurrence.MOVED),
    ],
)
def test_what_no_longer_holds_is_said(told: list[Told], truth: Truth, occurrence: Occurrence) -> None:
    found = notice(told, truth, MONDAY)
    assert found is not None
    assert (found.occurrence, found.channels, found.due_at) == (occurrence, (Channel.SMS,), MONDAY + GATHER)


@pytest.mark.parametrize(
    ("told", "truth"),
    [
        ([], Truth(NEW, open=True, off=False)),
        ([TOLD], Truth(OLD, open=True, off=False)),
        ([TOLD, OFF], Truth(OLD, open=False, off=True)),
        ([TOLD], Truth(OLD, open=False, off=False)),
    ],
)
def test_what_still_holds_is_not_said_again(told: list[Told], truth: Truth) -> None:
    assert notice(told, truth, MONDAY) is None


def test_who_was_told_by_text_and_mail_hears_by_both() -> None:
    by_mail = Told(Channel.EMAIL, "1d", OLD, TOLD.at)
    found = notice([TOLD, by_mail], Truth(NEW, open=True, off=False), MONDAY)
    assert found is not None
    assert set(found.channels) == set(Channel)


def test_close_to_the_start_nothing_waits_for_a_second_change() -> None:
    now = OLD - timedelta(minutes=10)
    found = notice([TOLD], Truth(NEW, open=True, off=False), now)
    assert found is not None
    assert found.due_at == now


def test_a_visit_whose_time_has_passed_is_not_called_off_any_more() -> None:
    assert notice([TOLD], Truth(OLD, open=False, off=True), OLD + timedelta(minutes=1)) is None


@given(st.timedeltas(timedelta(hours=-48), timedelta(hours=48)), st.booleans())
def test_a_cancelled_visit_is_named_by_the_time_that_was_told(moved_by: timedelta, on_the_way: bool) -> None:
    truth = Truth(OLD + moved_by, open=False, off=True)
    found = notice([TOLD], truth, MONDAY if on_the_way else MONDAY + timedelta(hours=1))
    assert found is not None
    assert found.starts_at == found.needed_by == OLD
