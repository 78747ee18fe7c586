"""The sentences of the reasons, for the clinician who decides."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from services.assessments.model.interval.history import Code, Reason

_SENTENCES: Final[dict[Code, str]] = {
    Code.SAFETY_ALERT_OPEN: "{alerts:g} safety alerts are not closed. Close them first.",
    Code.INDUCTION_NOT_COMPLETE: "Induction not complete: the interval follows the protocol until then.",
    Code.RESPONSE_NOT_DOCUMENTED: (
        "No response is on record: the first PHQ-9 was {first:g}, and none after induction is at {half:g} or below, or "
        "below 5."
    ),
    Code.INSUFFICIENT_DATA: "Insufficient data: {answered:g} of {asked:g} PHQ-9s {of} were answered.",
    Code.SCORES_NEEDED: "With {more:g} more scores by {by} it can be judged.",
    Code.NO_LADDER: "There is no ladder of intervals for this protocol.",
    Code.LADDER_NOT_KNOWN: (
        "The plan has not said which intervals its protocol allows, so none is proposed. "
        "It says so when it next changes."
    ),
    Code.AT_SHORTEST_RUNG: (
        "The scores ask for a shorter interval, and {days:g} days is the shortest: look at the regimen."
    ),
    Code.SHORTENED_TWICE: "The interval was shortened {times:g} times within 60 days: look at the regimen.",
    Code.OUTSIDE_CHANGE: "An outside change is on record in this cycle: the scores may say little about the interval.",
    Code.RISE_RIGHT_AFTER_SESSION: (
        "The last PHQ-9 is for day {day:g} after a session: so early a rise calls for a look, not a shorter interval."
    ),
    Code.LATE_SCORES_HIGH: (
        "The last two PHQ-9 scores ({first:g} and {last:g}) are at {threshold:g} or above; this patient's best so far "
        "is {best:g}."
    ),
    Code.RISE_CONFIRMED: (
        "The last PHQ-9 is {last:g}, {rise:g} above this patient's best so far ({best:g}), and one within 72 hours "
        "before confirms it."
    ),
    Code.RISE_UNCONFIRMED: (
        "The last PHQ-9 is {last:g}, at {threshold:g} or above, and not confirmed. Ask another within 72 hours."
    ),
    Code.LATE_SCORES_STABLE: (
        "The last two PHQ-9 scores ({first:g} and {last:g}) are at {limit:g} or below; this patient's best so far is "
        "{best:g}."
    ),
    Code.CYCLE_NOT_OVER: "Day {day:g} of {days:g}: only the last week before a session can speak for longer.",
    Code.CHANGED_THIS_CYCLE: "The interval was changed in this cycle: see first how the new one goes.",
    Code.CHANGED_SINCE: (
        "The interval was changed since the first of these two scores: see first how the new one goes, or bring the "
        "next visit forward."
    ),
    Code.FIRST_CYCLE: "This is the first cycle after induction: a longer interval needs two stable ones.",
    Code.PREVIOUS_CYCLE_INSUFFICIENT: "Insufficient data of the cycle before: {answered:g} of {asked:g} were answered.",
    Code.PREVIOUS_CYCLE_NOT_STABLE: (
        "The interval before was not stable: its last PHQ-9 scores reached {highest:g}, above {limit:g}."
    ),
    Code.RUNG_BLOCKED: "{days:g} days had to be shortened within the last {cycles:g} cycles: not tried again yet.",
    Code.AT_LONGEST_RUNG: "{days:g} days is the longest interval of this ladder.",
    Code.OPT_IN_NEEDED: "Stable, but {days:g} days is above {limit:g}, and the clinic has not opted in to that.",
    Code.BETWEEN: (
        "The last two PHQ-9 scores ({first:g} and {last:g}) are neither high nor stable; this patient's best so far is "
        "{best:g}."
    ),
}
_OF_ONE: Final[dict[Code, str]] = {
    Code.SAFETY_ALERT_OPEN: "1 safety alert is not closed. Close it first.",
    Code.INSUFFICIENT_DATA: "Insufficient data: 1 of {asked:g} PHQ-9s {of} was answered.",
    Code.SCORES_NEEDED: "With one more score by {by} it can be judged.",
    Code.PREVIOUS_CYCLE_INSUFFICIENT: "Insufficient data of the cycle before: 1 of {asked:g} was answered.",
}
"""Sentences whose first figure is one."""
_NO_FIRST: Final = (
    "No response is on record: no PHQ-9 up to the end of induction is there to hold later ones against, and none after "
    "it is below 5."
)


def reason(code: Code, words: Mapping[str, str] | None = None, **values: float) -> Reason:
    """Return a reason with its sentence.

    Args:
        code: which reason.
        words: what the sentence says beside its figures.
        values: its figures, by name.

    Raises:
        KeyError: a figure or a word of the sentence is missing.
    """
    single = next(iter(values.values()), None) == 1
    sentence = _OF_ONE.get(code, _SENTENCES[code]) if single else _SENTENCES[code]
    return Reason(code, sentence.format(**values, **(words or {})), tuple(values.items()))


def no_response(first: int | None) -> Reason:
    """Return the reason that no response is on record, with what would show one.

    Args:
        first: total of the reading that later ones are held against, or None.
    """
    if first is None:
        return Reason(Code.RESPONSE_NOT_DOCUMENTED, _NO_FIRST)
    return reason(Code.RESPONSE_NOT_DOCUMENTED, first=first, half=first // 2)


def spoken(day: date) -> str:
    """Return a day as a sentence names it: `3 March`."""
    return f"{day.day} {day:%B}"
