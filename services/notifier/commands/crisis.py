"""The answer to words of crisis: the clinic's crisis text, at any hour, every time.

An automatic answer replaces no person: whoever is on call is paged by the alert that the same text raises
(https://mental.jmir.org/2024/1/e58409). Only machines that answer one another are damped.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.notifier.model.people import NumberUser
from services.notifier.model.purposes import Channel, Occurrence, Purpose
from services.notifier.planner import Planner
from services.notifier.store import conversation, people
from services.notifier.store.messages import PlannedMessage
from shared import crisis
from shared.database import Transaction
from shared.ids import ClinicId, PatientId
from shared.telemetry.log import get_logger

log = get_logger(__name__)

MOST_ALERTS_AN_HOUR: Final = 20
"""How many crisis texts one number gets in an hour. No person in need is cut short by it; two machines that answer one
another are. Engineering default."""
USEFUL_FOR: Final = timedelta(days=1)
"""A crisis text that a provider's outage held up is sent all the same, for so long."""


async def answer(
    tx: Transaction, planner: Planner, *, sid: str, number: str, words: str, users: Sequence[NumberUser]
) -> bool:
    """Plan the clinic's crisis text where a text sounds like a person in danger; return whether it does.

    Also for a number whose patient was discharged, and for one that is nobody's where there is only one clinic. A stop
    blocks it, as it blocks all; the text then says so to whoever reads it.

    Args:
        tx: the caller's.
        planner: plans it.
        sid: the provider's id of the text; each text is answered once.
        number: that it came from.
        words: what the person wrote.
        users: contact points of patients at that number.
    """
    if crisis.find(words) is None:
        return False
    clinic = ClinicId(users[0].clinic) if users else await people.only_clinic(tx)
    if clinic is None:
        log.error("crisis.unanswered", why="the number is nobody's, and there are several clinics")
        return True
    recipient = people.recipient_of(planner.keyring, planner.keyring.seal(number, context="contact"))
    lately = await conversation.crisis_texts_since(tx, recipient.fingerprint, tx.now - timedelta(hours=1))
    if lately >= MOST_ALERTS_AN_HOUR:
        log.warning("crisis.damped")
        return True
    await planner.plan(
        tx,
        PlannedMessage(
            clinic=clinic,
            patient=PatientId(users[0].patient) if users else None,
            purpose=Purpose.REPLY,
            channel=Channel.SMS,
            occurrence=Occurrence.CRISIS,
            about=None,
            turn=sid,
            due_at=tx.now,
            useful_until=tx.now + USEFUL_FOR,
            recipient=recipient,
            not_before=tx.now,
        ),
    )
    return True
