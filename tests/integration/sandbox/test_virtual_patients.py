"""Virtual patients against real pages, in stepped time."""

from datetime import timedelta

import aiohttp

from services.sandbox.service import SandboxService
from shared.clock import SteppedClock
from tests.integration.sandbox.conftest import ACCOUNT, Listener

SENDER = "+15005550006"
NUMBERS = [f"+1212555{number:04}" for number in range(1000, 1040)]


def page(items: int) -> str:
    groups = "".join(
        f"<fieldset>{''.join(f'<input type=radio name=i{item} value={value}>' for value in range(4))}</fieldset>"
        for item in range(items)
    )
    return f"<form method=post><input type=hidden name=page value=1>{groups}<button>Send</button></form>"


async def live_a_week(sandbox: SandboxService, clock: SteppedClock) -> None:
    end = clock.now() + timedelta(days=7)
    await sandbox.run_due()
    while (due := sandbox.next_due()) is not None and due <= end:
        await clock.move_to(max(due, clock.now()))
        await sandbox.run_due()


async def texts(http: aiohttp.ClientSession, base: str, body: str, numbers: list[str]) -> None:
    for number in numbers:
        form = {"To": number, "From": SENDER, "Body": body}
        async with http.post(f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form) as answer:
            assert answer.status == 201


async def test_patients_open_their_link_and_answer_every_question(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock
) -> None:
    listener.page = page(9)
    sandbox.patients.everybody = True
    await texts(http, base, f"How are you today? {listener.url}/c/token", NUMBERS)
    await live_a_week(sandbox, clock)

    assert 10 < len(listener.answered) < 38
    assert all([name for name, _ in sent] == ["page", *(f"i{item}" for item in range(9))] for sent in listener.answered)
    assert sandbox.counts()["act answered"] == len(listener.answered)
    assert sandbox.counts()["acts_planned"] == sandbox.counts()["acts_done"]


async def test_the_same_seed_gives_the_same_answers_whatever_the_order(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock
) -> None:
    listener.page = page(9)
    listener.answer = "<Response/>"
    sandbox.patients.everybody = True

    async def answers(numbers: list[str]) -> tuple[list[list[tuple[str, str]]], list[tuple[str, str]]]:
        sandbox.reset()
        listener.answered.clear()
        listener.told.clear()
        start = clock.now().replace(hour=1) + timedelta(days=1)
        await clock.move_to(start)
        for number in numbers[:20]:
            sandbox.attended(number, start - timedelta(days=3))
        await texts(http, base, f"How are you today? {listener.url}/c/token", numbers)
        await texts(http, base, "Visit on Friday. Reply C to confirm.", numbers)
        await live_a_week(sandbox, clock)
        said = sorted((told.params["From"], told.params["Body"]) for told in listener.told)
        return sorted(listener.answered), said

    first = await answers(NUMBERS)
    sandbox.reset()
    in_order = NUMBERS[:20][::-1] + NUMBERS[20:][::-1]
    second = await answers(in_order)
    assert first[1] == second[1]
    assert [len(sent) for sent in first[0]] == [len(sent) for sent in second[0]]
    assert any(body.upper().startswith("C") for _, body in first[1])


async def test_only_enrolled_handsets_answer_where_not_everybody_is_virtual(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, listener: Listener, clock: SteppedClock
) -> None:
    for number in NUMBERS[:20]:
        async with http.post(f"{base}/sandbox/patients", json={"number": number}) as answer:
            assert answer.status == 204
    await texts(http, base, "Visit on Friday. Reply C to confirm.", NUMBERS)
    await live_a_week(sandbox, clock)
    replied = {told.params["From"] for told in listener.told}
    assert replied
    assert replied <= set(NUMBERS[:20])


async def test_a_link_that_is_refused_or_leads_elsewhere_is_noted(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, clock: SteppedClock
) -> None:
    sandbox.patients.everybody = True
    await texts(http, base, "How are you today? https://example.org/c/token", NUMBERS)
    await texts(http, base, f"How are you? {base}/none/c/token", NUMBERS)
    await live_a_week(sandbox, clock)
    outcomes = {done.outcome for done in sandbox.ledger.acts_done.values()}
    assert any("only addresses of this machine" in outcome for outcome in outcomes)
    assert "refused with 404" in outcomes
