"""After a restore to an earlier point: what may have gone out in the time that the database has forgotten.

The database is as it was when the backup was made; the world is not. What the provider's own list shows settles it:
a text that it has is taken as sent, one that it provably has not goes out, and what nobody can decide waits for a
person. See docs/decisions/0013.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.notifier.model.purposes import POLICIES, Channel, Purpose

SLACK: Final = timedelta(hours=1)
"""How far the provider's clock, or a backup's instant, may be off."""


class Why(StrEnum):
    """Why a message waits for a person; shown to staff."""

    MAIL = "a mail server cannot be asked whether it went out before the restore"
    OTHER_WORDS = "a text of this kind went to this number after the backup, in other words"
    UNKNOWN_WORDS = "texts that nobody here knows went to this number after the backup"
    CHANGED = "the patient's record changed after the backup, and the change is lost"
    FORGOTTEN = "what changed after the backup cannot be read any more"
    NOBODY_TO_ASK = "there is no provider to ask"


@dataclass(frozen=True)
class Gap:
    """The time that the database has forgotten, as far as it matters for one message.

    Attributes:
        since: the instant of the backup.
        until: the instant of the restore.
        changed: whether the patient's record is known to have changed in between.
        forgotten: whether nobody can tell any more what changed in between.
    """

    since: datetime
    until: datetime
    changed: bool = False
    forgotten: bool = False


@dataclass(frozen=True)
class Candidate:
    """A message that would go out now.

    Attributes:
        not_before: nothing of it can have gone out before this instant; None where that is not known.
    """

    purpose: Purpose
    channel: Channel
    not_before: datetime | None = None


@dataclass(frozen=True)
class AskProvider:
    """It may have gone out: the provider's list is looked at first."""


@dataclass(frozen=True)
class AskPerson:
    """Only a person can say."""

    why: Why


Detention = AskProvider | AskPerson | None


def detain(message: Candidate, gap: Gap) -> Detention:
    """Return whom to ask before a message goes out; None where it may go.

    An e-mail that pages staff is never held: it must reach somebody, also twice.
    """
    may_be_out = message.not_before is None or message.not_before <= gap.until
    if may_be_out and message.channel == Channel.SMS:
        return AskProvider()
    if may_be_out and message.purpose != Purpose.PAGE:
        return AskPerson(Why.MAIL)
    return doubt(message.purpose, gap)


def doubt(purpose: Purpose, gap: Gap) -> AskPerson | None:
    """Return why what a message says may be untrue, though it provably did not go out; None where it is not."""
    if not POLICIES[purpose].to_patient:
        return None
    if gap.forgotten:
        return AskPerson(Why.FORGOTTEN)
    return AskPerson(Why.CHANGED) if gap.changed else None


@dataclass(frozen=True)
class Sent:
    """A text to the same number that the provider has and this database does not know.

    Attributes:
        sid: the provider's id.
        at: when it went out; None where its date cannot be relied on.
        same_words: whether it says what the message says.
        purposes: for what its words can have been sent; none where they fit nothing that Keepwell says.
    """

    sid: str
    status: str
    error: str | None
    at: datetime | None
    same_words: bool
    purposes: frozenset[Purpose]


@dataclass(frozen=True)
class Had:
    """The provider has the message."""

    sent: Sent


@dataclass(frozen=True)
class Free:
    """The provider provably has not: it may go."""


Reconciled = Had | Free | AskPerson


def reconcile(message: Candidate, gap: Gap, sent: Sequence[Sent]) -> Reconciled:
    """Return what the provider's list says of a message.

    Args:
        message: the one that would go out.
        gap: see there.
        sent: what the provider has for the number and this database does not know, oldest first.
    """
    earliest = max(gap.since, message.not_before or gap.since) - SLACK
    late_enough = [one for one in sent if one.at is None or one.at >= earliest]
    for one in late_enough:
        if one.same_words:
            return Had(one)
    # A page always says the same: other words are other texts.
    if message.purpose != Purpose.PAGE:
        if any(message.purpose in one.purposes for one in late_enough):
            return AskPerson(Why.OTHER_WORDS)
        if any(not one.purposes for one in late_enough):
            return AskPerson(Why.UNKNOWN_WORDS)
    return doubt(message.purpose, gap) or Free()
