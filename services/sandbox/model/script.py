"""What becomes of one text: the states it goes through, and the callbacks that tell of them.

The two are apart on purpose. The states are the truth and only move forward; the callbacks are what the network says
of it: late, twice, out of order, not at all, or (forged) in somebody else's name.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.sandbox.model.chance import happens, pick, roll
from services.sandbox.model.profiles import CHANCES, Fault, Mark, Profile

LATE: Final = 600
"""Seconds that a late callback comes after its time."""

VERY_LATE: Final = (6 * 3600, 26 * 3600)
"""Seconds that a very late callback comes after its time, one of them."""

NUMBER_TROUBLES: Final = (30003, 30005)
"""Unreachable handset, unknown handset: permanent for the number."""

CARRIER_TROUBLE: Final = 30008
"""Unknown error on the way."""


class Status(StrEnum):
    """States of an outgoing message at the provider."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class Stage(BaseModel):
    """The text reaches a state, some seconds after it was accepted."""

    model_config = ConfigDict(frozen=True)

    after: int
    status: Status
    error: int | None = None


class Notice(BaseModel):
    """A callback that tells of a state, some seconds after the text was accepted."""

    model_config = ConfigDict(frozen=True)

    after: int
    status: Status
    error: int | None = None
    forged: bool = False


class Script(BaseModel):
    """All that becomes of one text: states in order, callbacks by the time they are sent."""

    model_config = ConfigDict(frozen=True)

    stages: tuple[Stage, ...]
    notices: tuple[Notice, ...]
    listed_after: int = 0

    def stage_at(self, accepted: datetime, now: datetime) -> Stage:
        """Return the state that a text accepted then has reached by now."""
        age = (now - accepted).total_seconds()
        reached = [stage for stage in self.stages if stage.after <= age]
        return reached[-1] if reached else Stage(after=0, status=Status.QUEUED)

    def delivered_at(self, accepted: datetime) -> datetime | None:
        """Return the instant at which the handset shows the text, or None where it never does."""
        last = self.stages[-1]
        return accepted + timedelta(seconds=last.after) if last.status is Status.DELIVERED else None


def marks_of(profile: Profile, seed: int, number: str, key: str) -> frozenset[Mark]:
    """Draw what happens to a text.

    Args:
        profile: how well the network behaves.
        seed: of the run.
        number: the handset's; an unreachable handset stays unreachable.
        key: what the text is, the same in every run.
    """
    return frozenset(
        mark
        for mark, chance in CHANCES[profile].marks
        if happens(chance, seed, mark, number if mark is Mark.UNREACHABLE else key)
    )


def fault_of(profile: Profile, seed: int, key: str, attempt: int) -> Fault | None:
    """Draw what happens to a call of the message interface.

    Args:
        profile: how well the network behaves.
        seed: of the run.
        key: what the call is about, the same in every run.
        attempt: how many such calls were made before.
    """
    left = roll(seed, "fault", key, attempt)
    for fault, chance in CHANCES[profile].faults:
        if left < chance:
            return fault
        left -= chance
    return None


def mail_deferred(profile: Profile, seed: int, key: str, attempt: int) -> bool:
    """Draw whether a mail is refused for now."""
    return happens(CHANCES[profile].mail_deferred, seed, "mail", key, attempt)


def write_script(profile: Profile, seed: int, number: str, key: str, marks: frozenset[Mark]) -> Script:
    """Return what becomes of a text with these marks; the reason of an unreachable handset is the number's own."""
    chances = CHANCES[profile]
    sent_after = pick(chances.sent_after, seed, "sent", key)
    last_after = sent_after + pick(chances.delivered_after, seed, "delivered", key)
    if Mark.UNREACHABLE in marks:
        last = Stage(after=last_after, status=Status.UNDELIVERED, error=pick(NUMBER_TROUBLES, seed, "trouble", number))
    elif Mark.FAILED in marks:
        last = Stage(after=last_after, status=Status.FAILED, error=CARRIER_TROUBLE)
    else:
        last = Stage(after=last_after, status=Status.DELIVERED)
    stages = (Stage(after=sent_after, status=Status.SENT), last)
    return Script(
        stages=stages,
        notices=_notices(profile, seed, key, marks, stages),
        listed_after=pick(chances.list_lag, seed, "listed", key),
    )


def _notices(
    profile: Profile, seed: int, key: str, marks: frozenset[Mark], stages: tuple[Stage, ...]
) -> tuple[Notice, ...]:
    lag = CHANCES[profile].callback_lag
    times = [stage.after + pick(lag, seed, "lag", key, stage.status) for stage in stages]
    if Mark.VERY_LATE in marks:
        times[-1] += pick(VERY_LATE, seed, "very late", key)
    elif Mark.LATE in marks:
        times[-1] += LATE
    if Mark.REVERSED in marks:
        times[0] = max(times) + pick((0, 5), seed, "reversed", key)
    notices = [
        Notice(after=after, status=stage.status, error=stage.error) for after, stage in zip(times, stages, strict=True)
    ]
    if Mark.REVERSED in marks:
        notices.reverse()
    if Mark.LOST in marks:
        del notices[int(roll(seed, "lost", key) * len(notices))]
        if happens(1 / 3, seed, "all lost", key):
            notices.clear()
    if Mark.TWICE in marks:
        notices += [
            notice.model_copy(update={"after": notice.after + pick((0, 1, 60), seed, "again", key, notice.status)})
            for notice in (notices if happens(1 / 2, seed, "twice", key) else notices[-1:])
        ]
    if Mark.EVERY_STATE in marks:
        notices += [Notice(after=0, status=Status.SENDING), Notice(after=0, status=Status.QUEUED)]
    if Mark.FORGED in marks:
        claimed = Status.FAILED if stages[-1].status is Status.DELIVERED else Status.DELIVERED
        notices.append(Notice(after=stages[0].after, status=claimed, error=None, forged=True))
    return tuple(sorted(notices, key=lambda notice: notice.after))
