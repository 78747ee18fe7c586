"""The ledger over a restart."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from services.sandbox.entries import HandsetOpened, MailKept, Source, TextReceived, Tuned
from services.sandbox.journal import Journal, JournalUnreadableError
from services.sandbox.ledger import Ledger
from services.sandbox.model.actions import ActionKind
from services.sandbox.model.profiles import Profile

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


class Opened(Protocol):
    def __call__(self, profile: Profile = Profile.CALM, seed: int = 1) -> Ledger: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def opened(path: Path) -> Iterator[Opened]:
    """Open the same ledger as a new process would, and close all files at the end."""
    journals: list[Journal] = []

    def open_again(profile: Profile = Profile.CALM, seed: int = 1) -> Ledger:
        journals.append(Journal(path))
        return Ledger(journals[-1], profile=profile, seed=seed, now=NOON)

    yield open_again
    for journal in journals:
        journal.close()


def said(body: str) -> TextReceived:
    return TextReceived(
        sid=f"SM{body}", number="+12125550123", to="+15005550006", body=body, at=NOON, source=Source.PAGE
    )


def test_a_journal_of_a_version_before_is_still_read(opened: Opened, path: Path) -> None:
    opened()
    act = {"id": "a", "number": "+12125550123", "to": "+15005550006", "key": "k", "at": NOON.isoformat(), "words": "C"}
    with path.open("a", encoding="utf-8") as journal:
        for line in (
            {"kind": "patient", "number": "+12125550123", "virtual": True, "temper": None},
            {"kind": "act", **act, "doing": "reply"},
        ):
            journal.write(json.dumps(line) + "\n")
    after = opened()
    assert after.patients["+12125550123"].traits is None
    assert after.acts["a"].action is ActionKind.REPLY


def test_what_was_recorded_is_there_after_a_restart(opened: Opened, path: Path) -> None:
    before = opened()
    raw = bytes(range(256))
    before.record(MailKept(id="m", at=NOON, sender="a@example.org", recipients=("b@example.org",), raw=raw))
    before.record(said("stop"))
    after = opened()
    assert after.mails["m"].raw == raw
    assert after.blocked == {("+15005550006", "+12125550123")}
    assert after.born == before.born
    after.record(said("START"))
    assert opened().blocked == set()


def test_a_line_cut_short_by_a_kill_is_taken_off(opened: Opened, path: Path) -> None:
    opened().record(HandsetOpened(number="+12125550123", at=NOON))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind":"handset","num')
    assert list(opened().handsets) == ["+12125550123"]
    assert path.read_bytes() == whole


def test_a_flawed_line_in_the_middle_stops_the_start_with_its_place(opened: Opened, path: Path) -> None:
    opened()
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(JournalUnreadableError, match="line 1"):
        opened()


def test_the_journal_is_for_its_owner_only(opened: Opened, path: Path) -> None:
    opened()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_order_holds_over_a_restart_until_the_settings_change(opened: Opened, path: Path) -> None:
    opened().record(Tuned(profile=Profile.ROUGH, seed=9))
    assert (opened().profile, opened().seed) == (Profile.ROUGH, 9)
    assert opened(Profile.LIVELY).profile is Profile.LIVELY


def test_an_emptied_ledger_names_its_texts_anew_and_keeps_its_profile(opened: Opened, path: Path) -> None:
    ledger = opened(Profile.LIVELY, 4)
    first = ledger.name("SM", "text", 0)
    ledger.record(said("hello"))
    ledger.begin(NOON.replace(hour=13))
    assert ledger.name("SM", "text", 0) != first
    assert ledger.inbound == {}
    assert (ledger.profile, ledger.seed) == (Profile.LIVELY, 4)
    assert opened(Profile.LIVELY, 4).inbound == {}
