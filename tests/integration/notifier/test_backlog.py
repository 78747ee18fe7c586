"""A morning's backlog: what is claimed costs the same however much waits."""

from sqlalchemy import text

from services.notifier.store import claims
from tests.integration.notifier.harness import NotifierHarness

FILL = text(
    """
    INSERT INTO messages (id, clinic, purpose, channel, occurrence, about, turn, state, version, due_at, next_at, lane,
                          to_masked, created_at, updated_at)
    SELECT gen_random_uuid(), CAST(:clinic AS uuid), 'reminder', 'sms', '1d', gen_random_uuid(), '', :state, 1,
           :now, :now, gen_random_uuid()::text, '', :now, :now
    FROM generate_series(1, :count)
    """
)


async def test_whether_a_lane_is_free_is_looked_up_for_it_alone_though_hardly_any_message_was_waiting_before(
    resting: NotifierHarness,
) -> None:
    """The planner's figures are from before the morning: next to nothing was planned, so joins looked cheap to it."""
    clinic = str(resting.bench.clinic)
    async with resting.bench.database.transaction() as tx:
        await tx.execute(FILL.bindparams(clinic=clinic, state="accepted", now=tx.now, count=3000))
        await tx.execute(text("ANALYZE messages"))
        await tx.execute(FILL.bindparams(clinic=clinic, state="planned", now=tx.now, count=300))
        explained = text(f"EXPLAIN (ANALYZE, TIMING OFF) {claims._DUE.text}").bindparams(
            now=tx.now, most=200, channels=["sms", "email"]
        )
        plan = [str(row[0]).strip() for row in await tx.all(explained)]
    lanes = next(at for at, line in enumerate(plan) if "messages_lane" in line)
    assert plan[lanes + 1] == "Index Cond: (lane = m.lane)", "\n".join(plan)
    assert "Rows Removed by Join Filter" not in "\n".join(plan)
