"""What staff write with a session's end is sealed, and so is what older versions kept in clear."""

import json

import pytest
from sqlalchemy import insert, select, text, update

from services.scheduler.store import IN_CLEAR
from services.scheduler.tables import BUS, sessions
from shared import sealing
from shared.sealing import Sealing
from tests.integration.scheduler.harness import SchedulerHarness
from tests.support.bench import KEYRING

MARK = "Planted0123 took all of the pills"


async def all_told(harness: SchedulerHarness) -> str:
    """Return the sessions and the events as somebody reads them who has stolen the tables."""
    async with harness.bench.service.database.reading() as reader:
        rows = [dict(row._mapping) for table in (sessions, BUS.outbox) for row in await reader.all(select(table))]
    return json.dumps(rows, default=str)


async def as_of_before(harness: SchedulerHarness, **values: str) -> None:
    """Have every session's words lie where an older version kept them."""
    async with harness.bench.service.database.transaction() as tx:
        await tx.execute(update(sessions).values(**values, sealed_reason=None, sealed_note=None))


@pytest.mark.parametrize("how", ["cancel", "attend", "miss"])
async def test_why_a_session_ended_never_lies_in_clear(harness: SchedulerHarness, how: str) -> None:
    session = await harness.book("2026-12-02T10:00")
    await harness.until("2026-12-02T11:00")
    ended = await harness.end(session, how, {"reason": f"{MARK} A", "note": f"{MARK} B"})
    again = (await harness.bench.call("GET", f"/sessions/{session['id']}")).json
    listed = (await harness.bench.call("GET", f"/patients/{harness.patient}/sessions")).json["items"][0]
    for shown in (ended, again, listed):
        assert (shown["reason"], shown["note"]) == (f"{MARK} A", f"{MARK} B")
    assert "Planted0123" not in await all_told(harness)


async def test_what_lay_in_clear_never_stays_so(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-08T10:00")
    await harness.end(session, "cancel", {"reason": "x", "note": "y"})
    await as_of_before(harness, reason=f"{MARK} A", note=f"{MARK} B")
    sealer = Sealing(harness.bench.service.database, KEYRING, IN_CLEAR)
    assert await sealer.left() == 1
    assert await sealer.round() == {"sessions": 1}
    assert await sealer.left() == 0
    assert await sealer.round() == {}
    assert "Planted0123" not in await all_told(harness)
    shown = (await harness.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (shown["reason"], shown["note"]) == (f"{MARK} A", f"{MARK} B")


async def test_words_are_never_missing_while_they_wait_to_be_sealed(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-08T10:00")
    await harness.end(session, "cancel", {"reason": "x"})
    await as_of_before(harness, reason=MARK, note="too")
    shown = (await harness.bench.call("GET", f"/sessions/{session['id']}")).json
    assert (shown["reason"], shown["note"]) == (MARK, "too")


async def test_a_discharge_never_has_words_to_seal(harness: SchedulerHarness) -> None:
    session = await harness.book("2026-12-08T10:00")
    await harness.discharge()
    assert (await harness.bench.call("GET", f"/sessions/{session['id']}")).json["reason"] == "discharged"
    assert await Sealing(harness.bench.service.database, KEYRING, IN_CLEAR).round() == {}


async def test_sealing_that_is_stopped_half_way_never_loses_a_word(
    harness: SchedulerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.end(await harness.book("2026-12-08T10:00"), "cancel", {"reason": "x"})
    database = harness.bench.service.database
    async with database.transaction() as tx:
        row = dict((await tx.one(select(sessions)))._mapping) | {"sealed_reason": None}
        ids = [await tx.scalar(text("SELECT gen_random_uuid()")) for _ in range(4)]
        await tx.execute(insert(sessions), [row | {"id": one, "reason": f"{MARK} {one}"} for one in ids])
    monkeypatch.setattr(sealing, "BATCH", 3)

    async def stopped(_seconds: float) -> None:
        raise InterruptedError

    sealer = Sealing(database, KEYRING, IN_CLEAR)
    with monkeypatch.context() as patch:
        patch.setattr(database.clock, "pause", stopped)
        with pytest.raises(InterruptedError):
            await sealer.round()
    assert await sealer.left() == 1
    assert await sealer.round() == {"sessions": 1}
    for one in ids:
        assert (await harness.bench.call("GET", f"/sessions/{one}")).json["reason"] == f"{MARK} {one}"
