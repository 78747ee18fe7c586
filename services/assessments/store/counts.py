"""How many there are of each thing: for an operator, and for a trial that adds up its months."""

from sqlalchemy import Column, Table, func, select

from services.assessments.model.lifecycles import AlertState, CheckinState, ProposalState
from services.assessments.tables import alerts, checkins, proposals
from shared.database import Reader


async def all_of(reader: Reader) -> dict[str, int]:
    """Return counts by name."""
    asked = await _by_state(reader, checkins, checkins.c.state)
    raised = await _by_state(reader, alerts, alerts.c.state)
    proposed = await _by_state(reader, proposals, proposals.c.state)
    decided = (ProposalState.APPROVED, ProposalState.CHANGED, ProposalState.REFUSED)
    return {
        "checkins_opened": sum(asked.values()),
        "checkins_completed": asked.get(CheckinState.COMPLETED, 0),
        "checkins_expired": asked.get(CheckinState.EXPIRED, 0),
        "alerts": sum(raised.values()),
        "open_alerts": raised.get(AlertState.OPEN, 0),
        "proposals": sum(proposed.values()),
        "open_proposals": proposed.get(ProposalState.OPEN, 0),
        "decisions": sum(proposed.get(state, 0) for state in decided),
    }


async def _by_state(reader: Reader, table: Table, state: Column[str]) -> dict[str, int]:
    counted = select(state.label("state"), func.count().label("number")).select_from(table).group_by(state)
    return {row.state: int(row.number) for row in await reader.all(counted)}
