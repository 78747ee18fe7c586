from datetime import UTC, datetime, timedelta

from services.notifier.model.call_outcomes import Blind, Found, Nothing
from services.notifier.model.settling import Free, LookAgain, Patience, Settled, settle

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PATIENCE = Patience(timedelta(seconds=60), looks=3)


def test_what_is_found_is_settled_at_once() -> None:
    found = Found("SM1", "delivered", None)
    assert settle(found, empty_looks=2, now=NOW, patience=PATIENCE) == Settled(found)


def test_a_message_is_free_again_only_after_several_looks_found_nothing() -> None:
    first = settle(Nothing(), empty_looks=0, now=NOW, patience=PATIENCE)
    assert first == LookAgain(NOW + timedelta(seconds=120), 1)
    second = settle(Nothing(), empty_looks=1, now=NOW, patience=PATIENCE)
    assert second == LookAgain(NOW + timedelta(seconds=240), 2)
    assert settle(Nothing(), empty_looks=2, now=NOW, patience=PATIENCE) == Free()


def test_a_look_that_cannot_see_proves_nothing() -> None:
    assert settle(Blind("HTTP 500"), empty_looks=2, now=NOW, patience=PATIENCE) == LookAgain(
        NOW + timedelta(seconds=60), 2
    )
