from datetime import UTC, datetime, timedelta

import pytest

from keepwell.cli.commands.dead_letters import _refuse_old
from shared.bus.dead_letters import DeadLetter
from shared.ids import new_id
from shared.settings import Settings

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SETTINGS = Settings(keep_days=90, kafka_retention_days=7)


def died(days: int) -> DeadLetter:
    return DeadLetter(
        new_id(), "keepwell.clinic.messaging", "t", 0, 1, "error", NOW - timedelta(days=days), None, b"", ()
    )


def test_a_letter_that_every_service_still_knows_may_be_replayed() -> None:
    _refuse_old([died(0), died(83)], SETTINGS, NOW, as_json=False)


def test_a_letter_that_a_service_may_have_forgotten_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        _refuse_old([died(1), died(84)], SETTINGS, NOW, as_json=False)
    assert left.value.code == 2
    assert "died 84 days ago" in capsys.readouterr().err
