"""What a page shows of other services beside its own read models: protocols and rules, which change with releases."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.clinic.model.reads import Source
from services.clinic.views.patient import Choice
from services.clinic.views.rows import Sources
from shared.clock import Clock
from shared.ids import ClinicId
from shared.web.client import ServiceClient
from shared.web.problems import Problem
from shared.web.tokens import Principal

PATIENCE: Final = 1.5
"""Real seconds that a page waits for what it can do without."""
_FRESH: Final = timedelta(minutes=5)
_SIGNED: Final = timedelta(seconds=10)
"""How long signatures are taken as they were read: another process may have heard of one that was withdrawn."""
_PROPOSES: Final = "interval proposals"
_SULK: Final = timedelta(seconds=15)
"""How long a service that did not answer is left alone."""


@dataclass(frozen=True)
class _Held:
    content: Any
    until: datetime


class OtherServices:
    """Reads that may fail: a page goes without, or with what was read last.

    Args:
        client: to the other services.
        clock: the real one.
    """

    def __init__(self, client: ServiceClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._held: dict[tuple[ClinicId, str], _Held] = {}

    async def protocols(self, principal: Principal) -> tuple[Choice, ...]:
        """Return the protocols to choose from, the newest version of each; none, where the scheduler never answered."""
        content = await self._read("scheduler", "/protocols", principal)
        if not content:
            return ()
        newest = {one["id"]: one["name"] for one in sorted(content["items"], key=lambda one: int(one["version"]))}
        return tuple(Choice(protocol, name) for protocol, name in newest.items())

    async def sources(self, principal: Principal) -> Sources:
        """Return where each rule comes from; none, where the assessments service never answered."""
        content = await self._read("assessments", "/rules", principal)
        if not content:
            return {}
        return {one["id"]: (_source(one),) for one in content["items"]}

    async def unsigned(self, principal: Principal) -> dict[str, str]:
        """Return the rules that would propose intervals, were they signed: their names by id."""
        content = await self._read("assessments", "/rules", principal)
        off = [one for one in content["items"] if one["applies_to"] == _PROPOSES and not one["runs"]] if content else []
        return {one["id"]: one.get("name", one["id"]) for one in off}

    def forget(self, principal: Principal) -> None:
        """Read the rules anew: the clinic has signed one, or withdrawn its signature."""
        self._held.pop((principal.clinic, "/rules"), None)

    async def _read(self, service: str, path: str, principal: Principal) -> Any:
        key = (principal.clinic, path)
        held, now = self._held.get(key), self._clock.now()
        if held is not None and held.until > now:
            return held.content
        try:
            async with asyncio.timeout(PATIENCE):
                content = await self._client.get(service, path, principal=principal)
            self._held[key] = _Held(content, now + (_SIGNED if path == "/rules" else _FRESH))
        except (Problem, TimeoutError):
            self._held[key] = _Held(held.content if held else None, now + _SULK)
        return self._held[key].content


def _source(rule: Any) -> Source:
    points = tuple(rule.get("points", [rule["text"]]))
    said = f"Read on {rule['verified_on']}"
    return Source(said, rule["source_url"], rule["grade"], rule.get("name", rule["id"]), points)
