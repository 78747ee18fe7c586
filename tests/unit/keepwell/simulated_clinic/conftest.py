"""The account is tried on a clinic that reminds three days and one day before, whatever the newest protocol says."""

import pytest

from keepwell.simulated_clinic import dues, verdict


@pytest.fixture(autouse=True)
def two_reminders(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dues, verdict):
        monkeypatch.setattr(module, "REMINDER_DAYS", (3, 1))
