from datetime import timedelta
from uuid import uuid4

import pytest

from shared.clock import RealClock
from shared.ids import ClinicId
from shared.protection import Keyring
from shared.settings import SettingsError, load
from shared.web.problems import Unauthorized
from shared.web.tokens import Principal, Scope, Tokens

KEYRING = Keyring.from_text(Keyring.generate())
SOMEBODY = Principal(ClinicId(uuid4()), "ehr-bridge", frozenset({Scope.READ}))


def made() -> str:
    return Tokens(KEYRING).create(SOMEBODY, life=timedelta(days=90))


def test_a_token_says_who_asks() -> None:
    assert Tokens(KEYRING).check(made()) == SOMEBODY


def test_a_token_that_was_made_before_the_instant_is_revoked() -> None:
    with pytest.raises(Unauthorized, match="revoked"):
        Tokens(KEYRING, since=RealClock().now() + timedelta(seconds=90)).check(made())


def test_a_token_that_was_made_after_it_holds_also_within_its_second() -> None:
    assert Tokens(KEYRING, since=RealClock().now()).check(made()) == SOMEBODY


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(Unauthorized, match="not one of ours"):
        Tokens(Keyring.from_text(Keyring.generate())).check(made())


def test_a_token_that_has_ended_is_refused() -> None:
    token = Tokens(KEYRING).create(SOMEBODY, life=timedelta(seconds=-1))
    with pytest.raises(Unauthorized, match="has ended"):
        Tokens(KEYRING).check(token)


def test_an_instant_without_a_zone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_TOKENS_SINCE", "2026-12-01T09:00:00")
    with pytest.raises(SettingsError, match="KEEPWELL_TOKENS_SINCE"):
        load()
