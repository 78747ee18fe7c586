"""What the made-up clinicians write when they close an alert."""

import pytest

from keepwell.simulated_clinic import closing
from services.assessments.model.alert import AlertKind
from services.assessments.model.disposition import flaw_of

ALERTS = [f"alert-{number}" for number in range(40)]


@pytest.mark.parametrize("kind", [*AlertKind, "of-a-later-version"])
def test_no_two_causes_are_closed_with_one_and_the_same_note(kind: str) -> None:
    notes = {closing.note(alert, kind) for alert in ALERTS}
    others = {closing.note(alert, other) for alert in ALERTS for other in AlertKind if other != kind}
    assert len(notes) > 1
    assert not notes & others
    assert all(flaw_of(note) is None and len(note) <= 500 for note in notes)


def test_one_alert_is_closed_with_the_same_words_again() -> None:
    assert closing.note("alert-7", "mood") == closing.note("alert-7", "mood")
