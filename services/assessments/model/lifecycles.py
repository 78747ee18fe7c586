"""The lives of a check-in, an alert and a proposal."""

from enum import StrEnum
from typing import Final

from services.assessments.model.machine import Lifecycle


class CheckinState(StrEnum):
    """Of a check-in: asked, half answered, answered, or too late."""

    OPEN = "open"
    PARTIAL = "partial"
    COMPLETED = "completed"
    EXPIRED = "expired"


class AlertState(StrEnum):
    """Of a safety alert: nobody has seen it, somebody has, somebody has dealt with it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class ProposalState(StrEnum):
    """Of an interval proposal: waiting, decided in one of three ways, or overtaken by newer answers or by time.

    One that holds the interval waits for nobody: it is information, and can be changed to another interval. A decision
    that was taken back stays on record and counts no more; the rule may put another proposal in its place.
    """

    OPEN = "open"
    HELD = "held"
    APPROVED = "approved"
    CHANGED = "changed"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    TAKEN_BACK = "taken-back"


CHECKIN: Final = Lifecycle(
    "check-in",
    {
        CheckinState.OPEN: frozenset({CheckinState.PARTIAL, CheckinState.COMPLETED, CheckinState.EXPIRED}),
        CheckinState.PARTIAL: frozenset({CheckinState.PARTIAL, CheckinState.COMPLETED, CheckinState.EXPIRED}),
    },
)

ALERT: Final = Lifecycle(
    "alert",
    {
        AlertState.OPEN: frozenset({AlertState.ACKNOWLEDGED, AlertState.CLOSED}),
        # Open again where a worse answer came.
        AlertState.ACKNOWLEDGED: frozenset({AlertState.OPEN, AlertState.CLOSED}),
    },
)

PROPOSAL: Final = Lifecycle(
    "proposal",
    {
        ProposalState.OPEN: frozenset(
            {
                ProposalState.APPROVED,
                ProposalState.CHANGED,
                ProposalState.REFUSED,
                ProposalState.SUPERSEDED,
                ProposalState.EXPIRED,
            },
        ),
        ProposalState.HELD: frozenset({ProposalState.CHANGED, ProposalState.SUPERSEDED}),
        ProposalState.APPROVED: frozenset({ProposalState.TAKEN_BACK}),
        ProposalState.CHANGED: frozenset({ProposalState.TAKEN_BACK}),
        ProposalState.REFUSED: frozenset({ProposalState.TAKEN_BACK}),
    },
)
