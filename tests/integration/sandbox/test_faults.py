"""What can happen to a call, one test a kind: what the caller sees, and what the ledger has."""

import aiohttp
import pytest

from services.sandbox.model.profiles import Fault, Profile
from services.sandbox.network import FaultOrder
from services.sandbox.service import SandboxService
from shared.clock import SteppedClock
from tests.integration.sandbox.conftest import ACCOUNT

FORM = {"To": "+12125550123", "From": "+15005550006", "Body": "hello"}


def messages(base: str) -> str:
    return f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


@pytest.mark.parametrize(
    ("fault", "status", "kept"),
    [(Fault.TOO_MANY, 429, 0), (Fault.ERROR_BEFORE, 500, 0), (Fault.ERROR_AFTER, 503, 1), (Fault.SLOW, 201, 1)],
)
async def test_a_fault_answers_with_its_status_and_keeps_the_text_or_not(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, *, fault: Fault, status: int, kept: int
) -> None:
    sandbox.order(FaultOrder(None, fault, frozenset(), 1))
    async with http.post(messages(base), data=FORM) as answer:
        assert answer.status == status
        assert (answer.headers.get("Retry-After") is not None) == (status == 429)
    assert len(sandbox.ledger.texts) == kept
    async with http.post(messages(base), data=FORM) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(("fault", "kept"), [(Fault.RESET_BEFORE, 0), (Fault.RESET_AFTER, 1)])
async def test_a_reset_leaves_no_answer(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, fault: Fault, kept: int
) -> None:
    sandbox.order(FaultOrder(None, fault, frozenset(), 9))
    with pytest.raises(aiohttp.ClientError):
        await http.post(messages(base), data=FORM)
    assert bool(sandbox.ledger.texts) == bool(kept)


async def test_a_timeout_after_the_write_keeps_the_text(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession
) -> None:
    sandbox.order(FaultOrder(None, Fault.TIMEOUT_AFTER, frozenset(), 1))
    with pytest.raises(TimeoutError):
        await http.post(messages(base), data=FORM, timeout=aiohttp.ClientTimeout(total=0.3))
    assert [text.body for text in sandbox.ledger.texts.values()] == ["hello"]


async def test_a_rough_network_has_the_same_faults_for_the_same_seed_in_any_order(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, clock: SteppedClock
) -> None:
    numbers = [f"+1212555{number:04}" for number in range(100, 160)]

    async def outcomes(order: list[str]) -> dict[str, int]:
        sandbox.reset()
        sandbox.tune(Profile.ROUGH, 11)
        seen: dict[str, int] = {}
        for number in order:
            try:
                async with http.post(
                    messages(base), data={**FORM, "To": number}, timeout=aiohttp.ClientTimeout(total=1.6)
                ) as answer:
                    seen[number] = answer.status
            except (aiohttp.ClientError, TimeoutError):
                seen[number] = 0
        return seen

    forward = await outcomes(numbers)
    backward = await outcomes(numbers[::-1])
    assert forward == backward
    assert len(set(forward.values())) > 2


async def test_the_list_can_lag_behind(
    sandbox: SandboxService, base: str, http: aiohttp.ClientSession, clock: SteppedClock
) -> None:
    sandbox.tune(Profile.ROUGH, 3)
    for number in range(20):
        sandbox.order(FaultOrder(None, None, frozenset(), 1))
        async with http.post(messages(base), data={**FORM, "Body": f"text {number}"}) as answer:
            assert answer.status == 201

    async def listed() -> int:
        sandbox.tune(Profile.CALM, 3)
        async with http.get(messages(base), params={"To": FORM["To"]}) as answer:
            return len((await answer.json())["messages"])

    assert await listed() < 20
    await clock.move_to(clock.now().replace(minute=clock.now().minute + 1))
    assert await listed() == 20
