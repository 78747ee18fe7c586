"""Answers that came, and from whom none come, out of the read models."""

from datetime import datetime
from typing import Final

from services.clinic.model.reads import Answers, Score, Silent
from services.clinic.views.answer_rows import AnswerRow, ScoreLine, SilentRow
from services.clinic.views.components import Chip, Tone, band_chip, moment, say_instrument_of, say_occurrence
from services.clinic.views.rows import Names, person
from shared.walltime import to_wall

LOW_MOOD: Final = 2
"""Moods from 0 to 10 that stand out on a page. Engineering default; what pages somebody is decided elsewhere."""
_FLAGS: Final = {"item9": "Item 9 above zero"}
_WHY: Final = {
    "late": Chip("came too late for the score", Tone.WARN),
    "again": Chip("sent once more, with other answers", Tone.WARN),
    "unfinished": Chip("not finished in time", Tone.WARN),
}


def answer_row(answers: Answers, names: Names, zone: str) -> AnswerRow:
    """Return answers that came."""
    lines = [_line(score, zone) for score in answers.scores]
    seen = (
        f"Seen by {answers.seen_by}, {moment(answers.seen_at, zone).text}"
        if answers.seen_by and answers.seen_at
        else None
    )
    kind = "further" if answers.why else "checkins"
    return AnswerRow(
        id=answers.id,
        path=f"/console/{kind}/{answers.id}/seen",
        checkin=answers.checkin,
        person=person(answers.patient, names),
        what=say_occurrence(answers.occurrence),
        at=moment(answers.at, zone),
        lines=tuple(line for line in lines if line.voided is None),
        voided=tuple(line for line in lines if line.voided is not None),
        why=_WHY.get(answers.why, Chip(answers.why)) if answers.why else None,
        seen=seen,
    )


def silent_row(silent: Silent, names: Names, now: datetime, zone: str) -> SilentRow:
    """Return a patient from whom no answer comes."""
    count = silent.unanswered
    what = "1 check-in without an answer" if count == 1 else f"{count} check-ins without an answer"
    return SilentRow(person(silent.patient, names), what, _last(silent, now, zone))


def unasked_row(silent: Silent, names: Names, now: datetime, zone: str) -> SilentRow:
    """Return a patient whom nobody could ask."""
    what = f"{silent.unanswered} check-ins, and no message went out"
    return SilentRow(person(silent.patient, names), what, _last(silent, now, zone))


def _last(silent: Silent, now: datetime, zone: str) -> str:
    last = "never answered"
    if silent.last is not None:
        days = (to_wall(now, zone).date() - to_wall(silent.last, zone).date()).days
        last = f"last answered {days} days ago" if days > 1 else "last answered yesterday" if days else "answered today"
    return last


def mood_chip(mood: int | None) -> Chip | None:
    """Return a mood from 0 to 10."""
    return None if mood is None else Chip(f"mood {mood} of 10", Tone.WARN if mood <= LOW_MOOD else Tone.PLAIN)


def flag_words(flag: str) -> str:
    """Return what a flag says."""
    return _FLAGS.get(flag, flag.replace("-", " ").replace(":", ": ").capitalize())


def void_words(score: Score, zone: str) -> str | None:
    """Return why a score counts no more, with name and time."""
    void = score.voided
    if void is None:
        return None
    what = "Corrected" if void.replaced else "Discarded"
    who = f"{what} by {void.by}" if void.by else "Changed by the patient before all was sent"
    return f"{who}, {moment(void.at, zone).text}" + (f": {void.reason}" if void.reason else "")


def _line(score: Score, zone: str) -> ScoreLine:
    quick = None
    if score.quick:
        quick = (
            f"Answered {score.seconds} s after the link arrived: a program that looks at links may have done it. "
            "Ask the patient, and discard the score if it was not them."
        )
    return ScoreLine(
        id=score.id,
        instrument=say_instrument_of(score),
        score=band_chip(score),
        mood=mood_chip(score.mood),
        flags="; ".join(flag_words(flag) for flag in score.flags),
        words=score.words,
        note=f"entered by {score.entered_by}" if score.entered_by else "",
        quick=quick,
        voided=void_words(score, zone),
    )
