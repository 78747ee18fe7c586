"""What the world can send to the open doors: the provider's webhooks, signed or not, and patients' links."""

import base64
import secrets
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
import requests
from hypothesis import example, given, strategies
from sqlalchemy import func, select
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from services.notifier.tables import CALLBACKS, FORGERIES, INBOUND
from tests.integration.fuzz.profiles import tries
from tests.integration.fuzz.world import PATIENCE, PUBLIC, SECRET, World

STATUS, INBOUND_PATH = "/webhooks/twilio/status", "/webhooks/twilio/inbound"
TEXT: Final = strategies.text(strategies.characters(codec="utf-8"), max_size=200)
KNOWN: Final = ("MessageSid", "MessageStatus", "ErrorCode", "From", "To", "Body", "SmsSid", "AccountSid")
NAMES: Final = strategies.one_of(strategies.sampled_from(KNOWN), TEXT)
STATUSES: Final = strategies.one_of(
    strategies.sampled_from(["queued", "DELIVERED", "failed", "teleported", "", " ", "sent\x00", "undelivered "]), TEXT
)
NUMBERS: Final = strategies.one_of(
    strategies.sampled_from(
        [
            "+12025550123",
            "12025550123",
            "+",
            "",
            "whatsapp:+12025550123",
            "client:Ana",
            "+1" * 40,
            "\u0661\u0662",
            "+1202\x00",
        ]
    ),
    TEXT,
)
BODIES: Final = strategies.one_of(
    TEXT,
    strategies.sampled_from(
        [
            "STOP",
            "stop please",
            "\u202eSTOP",
            "😀" * 1700,
            "x" * 5000,
            "\x00",
            "S\x00TOP",
            "C",
            "HELP",
            "\ufeffSTOP",
            "I\u0307",
        ]
    ),
)
SIDS: Final = strategies.one_of(
    strategies.builds(lambda: f"SM{secrets.token_hex(16)}"), strategies.sampled_from(["", "SM" + "0" * 32]), TEXT
)
PAIRS: Final = strategies.lists(strategies.tuples(NAMES, TEXT), max_size=8)


def signed(path: str, pairs: list[tuple[str, str]], query: str = "") -> str:
    """Return the signature that the provider would send."""
    signature: str = RequestValidator(SECRET).compute_signature(PUBLIC + path + query, ImmutableMultiDict(pairs))
    return signature


def post(
    world: World, path: str, pairs: list[tuple[str, str]], *, query: str = "", signature: str | None = None
) -> Any:
    """Send a form as the provider does."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signed(path, pairs, query) if signature is None else signature,
    }
    return requests.post(world.base + path + query, data=urlencode(pairs), headers=headers, timeout=PATIENCE)


def count(world: World, table: Any) -> int:
    """Return how many rows a table of the notifier has; of forgeries, how many were counted."""

    async def read() -> int:
        what = func.coalesce(func.sum(table.c.count), 0) if table is FORGERIES else func.count()
        async with world.service("notifier").database.reading() as reader:
            return int(await reader.scalar(select(what).select_from(table)) or 0)

    return world.run(read())


@tries(80)
@given(
    sid=SIDS,
    status=STATUSES,
    more=PAIRS,
    query=strategies.sampled_from(["", "?message=x&attempt=%00", "?message=" + "0" * 32]),
)
@example(sid="SM1", status="delivered", more=[("MessageStatus", "failed"), ("MessageStatus", "sent")], query="")
@example(sid="SM1", status="failed", more=[("ErrorCode", "9" * 4000)], query="")
@example(sid="SM1", status="failed", more=[("A\x00", "b"), ("MessageSid", "\x00")], query="")
def test_a_status_report_of_any_words_is_kept_or_refused(
    world: World, sid: str, status: str, more: list[tuple[str, str]], query: str
) -> None:
    before = count(world, CALLBACKS)
    answer = post(world, STATUS, [("MessageSid", sid), ("MessageStatus", status), *more], query=query)
    assert answer.status_code in {204, 422}, (answer.status_code, answer.text)
    assert count(world, CALLBACKS) == before + (answer.status_code == 204)


@tries(80)
@given(sid=SIDS, number=NUMBERS, body=BODIES, more=PAIRS)
@example(sid="SM2", number="+12025550123", body="a", more=[("Body", "STOP"), ("From", "+12025550124"), ("From", "")])
def test_a_text_of_any_words_from_anybody_is_kept_once_or_refused(
    world: World, sid: str, number: str, body: str, more: list[tuple[str, str]]
) -> None:
    before = count(world, INBOUND)
    pairs = [("MessageSid", sid), ("From", number), ("Body", body), *more]
    first, second = post(world, INBOUND_PATH, pairs), post(world, INBOUND_PATH, pairs)
    assert first.status_code == second.status_code
    assert first.status_code in {200, 422}, (first.status_code, first.text)
    assert count(world, INBOUND) - before in ({0, 1} if first.status_code == 200 else {0})


@tries(40)
@given(
    path=strategies.sampled_from([STATUS, INBOUND_PATH]),
    pairs=PAIRS,
    forged=strategies.one_of(TEXT, strategies.just("")),
)
def test_what_the_provider_did_not_sign_is_refused_and_counted(
    world: World, path: str, pairs: list[tuple[str, str]], forged: str
) -> None:
    before = count(world, FORGERIES), count(world, CALLBACKS), count(world, INBOUND)
    whole = [("MessageSid", "SM3"), ("MessageStatus", "sent"), ("From", "+12025550123"), *pairs]
    guess = base64.b64encode(forged.encode()).decode()
    assert post(world, path, whole, signature=guess).status_code == 403
    other = signed(path, [*whole, ("To", "another")])
    assert post(world, path, whole, signature=other).status_code == 403
    assert (count(world, FORGERIES), count(world, CALLBACKS), count(world, INBOUND)) == (before[0] + 2, *before[1:])


@tries(60)
@given(
    strategies.one_of(strategies.binary(max_size=300), strategies.just(b"a=%ff&b=%00"), strategies.just(b"a&" * 40_000))
)
@example(b"a=1&" * 300)
def test_a_body_that_is_no_form_is_refused(world: World, body: bytes) -> None:
    for path in (STATUS, INBOUND_PATH):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed(path, [])}
        answer = requests.post(world.base + path, data=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code in {403, 422}, (answer.status_code, answer.text)


TOKENS: Final = strategies.one_of(
    TEXT, strategies.binary(min_size=24, max_size=24).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)


@tries(60)
@given(token=TOKENS, form=PAIRS)
@example(token="%00", form=[("instrument", "phq-9")])
@example(token="x" * 4000, form=[(f"q-{number}", "3") for number in range(150)])
@example(token="..%2f..%2fapi%2fv1%2fstatus", form=[])
def test_a_link_that_nobody_was_given_shows_nothing_and_keeps_nothing(
    world: World, token: str, form: list[tuple[str, str]]
) -> None:
    path = f"{world.base}/c/{quote(token, safe='')}"
    shown = requests.get(path, timeout=PATIENCE, allow_redirects=False)
    sent = requests.post(path, data=form, timeout=PATIENCE, allow_redirects=False)
    assert {shown.status_code, sent.status_code} <= {404, 405, 307, 422}, (shown.status_code, sent.status_code)
    assert "Ana" not in shown.text + sent.text


@pytest.mark.parametrize("what", ["a bearer token", "a bearer token in two"])
def test_a_token_that_was_made_for_something_else_opens_no_link(world: World, what: str) -> None:
    token = world.token() if what == "a bearer token" else world.token().split(".")[2]
    assert requests.get(f"{world.base}/c/{token}", timeout=PATIENCE).status_code == 404


def test_a_link_is_no_bearer_token(world: World) -> None:
    headers = {"Authorization": f"Bearer {secrets.token_urlsafe(24)}"}
    assert requests.get(f"{world.base}/api/v1/patients", headers=headers, timeout=PATIENCE).status_code == 401


ANSWERS: Final = strategies.dictionaries(
    strategies.one_of(strategies.integers(0, 12).map(lambda number: f"q-{number}"), TEXT),
    strategies.one_of(
        strategies.integers(-3, 9).map(str), TEXT, strategies.sampled_from(["9" * 5000, "\x00", "\uff11", "2.0"])
    ),
    max_size=14,
)


@tries(40)
@given(form=ANSWERS, language=strategies.sampled_from(["", "?lang=es", "?lang=%00", "?lang=xx"]))
def test_a_real_link_answers_whatever_form_it_is_sent(world: World, form: dict[str, str], language: str) -> None:
    link = world.link(world.known()["patient"])
    data = {"instrument": "phq-9", **form}
    answer = requests.post(world.base + link + language, data=data, timeout=PATIENCE)
    assert answer.status_code in {200, 410, 422}, (answer.status_code, answer.text[:300])
