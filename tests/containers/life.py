"""What lives in a stack: a clinic's orders over REST, and what came of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import aiohttp

from services.sandbox.report import LedgerView, MessageView
from shared.clock import RealClock
from shared.walltime import to_wall, wall_text
from tests.containers.stack import SERVICES, Stack, status, until
from tests.faults.caller import Caller
from tests.faults.load import ZONES, minute_after
from tests.faults.record import Order, Record

QUIET_WITHIN: Final = 150.0


class Clinic:
    """A clinic's front desk over REST."""

    def __init__(self, stack: Stack, http: aiohttp.ClientSession) -> None:
        self.stack = stack
        self.record = Record()
        self.caller = Caller(stack, http, self.record)
        self.clock = RealClock()
        self.zone = awake(self.clock.now())

    async def enrol(self, number: str) -> str:
        """Enrol a patient who agrees to reminders, in a zone where it is day; return the id."""
        at = (self.clock.now() - timedelta(days=1)).isoformat()
        body = {
            "given_name": "Test",
            "family_name": number[-4:],
            "zone": self.zone,
            "language": "en",
            "contacts": [
                {"kind": "sms", "value": number, "consents": [{"purpose": "reminders", "how": "paper", "at": at}]}
            ],
        }
        seen = await self.caller.order("POST", "/patients", body, Order(self.clock.now()))
        return str(seen["id"])

    async def book(self, patient: str, due: datetime) -> str:
        """Book a session whose reminder is due at a whole minute; return the id."""
        wall = to_wall(due + timedelta(days=1), self.zone)
        body = {"patient": patient, "starts_at": wall_text(wall), "zone": self.zone, "minutes": 30, "odd_hour": True}
        seen = await self.caller.order("POST", "/sessions", body, Order(self.clock.now()))
        return str(seen["id"])

    async def text(self, number: str, words: str) -> None:
        """Send a text from a handset until Keepwell has taken it."""
        await self.caller.text(number, words, Order(self.clock.now()))

    async def ledger(self) -> LedgerView:
        """Return all that the provider knows."""
        return LedgerView.model_validate(await self.caller.read(f"{self.stack.provider.url}/sandbox/ledger"))

    async def texts(self, number: str) -> list[MessageView]:
        """Return the texts that Keepwell sent to a number."""
        return [text for text in (await self.ledger()).messages if text.to == number and text.origin == "api"]

    async def wait_for_texts(self, number: str, many: int, *, seconds: float = 60) -> list[MessageView]:
        """Return a number's texts once there are so many."""

        async def there() -> list[MessageView]:
            found = await self.texts(number)
            return found if len(found) >= many else []

        found: list[MessageView] = await until(there, seconds=seconds)
        return found

    async def quiet(self) -> None:
        """Return once nothing is on its way anywhere and no attempt is unknown; tell what is, if it takes long."""
        stirring: list[dict[str, Any]] = []

        async def all_quiet() -> bool:
            told = [await status(self.stack, each) for name in SERVICES for each in await self.stack.containers(name)]
            stirring[:] = [one for one in told if not one["quiet"] or one["unknown_attempts"]]
            return not stirring

        try:
            await until(all_quiet, seconds=QUIET_WITHIN)
        except TimeoutError:
            raise AssertionError(f"not quiet after {QUIET_WITHIN:.0f} s: {stirring}") from None

    async def next_wave(self, seconds: float) -> datetime:
        """Return the next whole minute that is at least so many seconds away."""
        return minute_after(self.clock.now(), seconds)


def awake(now: datetime) -> str:
    """Return a zone in which it is the middle of a day, so that no reminder waits for the morning."""
    return min(ZONES, key=lambda zone: abs(to_wall(now, zone).hour - 13))


_NUMBERS: Final = count()


def number() -> str:
    """Return a number that nobody has and no other test uses: of an area that neither the load nor the waves have."""
    return f"+1646555{next(_NUMBERS):04d}"


@asynccontextmanager
async def clinic_of(stack: Stack) -> AsyncIterator[Clinic]:
    """Open the front desk of a stack."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:
        yield Clinic(stack, http)


async def handled(stack: Stack, container: str) -> int:
    """Return how many events a container's services have handled since it started."""
    return round(sum(await _samples(stack, container, "keepwell_events_handled_total")))


async def shards(stack: Stack, container: str) -> int:
    """Return how many shards of its outbox a container relays."""
    return round(sum(await _samples(stack, container, "keepwell_relay_shards")))


async def _samples(stack: Stack, container: str, name: str) -> list[float]:
    url = await stack.address(container)
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        text = await answer.text()
    return [float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]


async def together(*work: Any) -> list[Any]:
    """Do things at once; the first that fails fails all."""
    return list(await asyncio.gather(*work))
