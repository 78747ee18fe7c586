"""How soon after its link had arrived a check-in was answered.

Programs that look at links in mail and texts also fill in forms. Ten seconds is an engineering default: nobody reads
and answers nine questions in it.
"""

from datetime import datetime
from typing import Final

QUICK: Final = 10
"""Seconds under which staff are told that a program may have answered."""

AT_LEAST: Final = 5
"""Seconds from the first look at a page to its answers under which they are asked for once more.

An engineering default too: a person who knows the questions by heart needs longer for a single page of them.
"""


def seconds_after(*, sent_at: datetime | None, delivered_at: datetime | None, answered_at: datetime) -> int | None:
    """Return whole seconds from the link's arrival to the answer, or None where that is not known.

    A report of delivery may come later than the answer; then what is known of the sending counts. Where a call's
    outcome was learnt long after it, that is later too: the text had been there, and nobody knows for how long.
    """
    known = [at for at in (delivered_at, sent_at) if at is not None]
    if not known:
        return None
    before = [at for at in known if at <= answered_at]
    if before:
        return int((answered_at - max(before)).total_seconds())
    return 0 if (min(known) - answered_at).total_seconds() < QUICK else None


def is_quick(seconds: int | None) -> bool:
    """Say whether a program may have answered."""
    return seconds is not None and seconds < QUICK
