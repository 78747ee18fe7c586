"""Whom a visitor of the demonstration meets: people whose course is written, so that each thing can be seen at once.

The others of the made-up clinic are drawn by chance. Days are counted from the clinic's first day, a Monday; the past
that is lived before the visitor comes ends on the Thursday of the eighth week.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from keepwell.simulated_clinic.choices import Care, Ending, Fate
from keepwell.simulated_clinic.people import PURPOSES, Person
from services.sandbox.model.traits import PatientTraits

PAST_DAYS: Final = 52
"""Long enough that a stable patient who comes weekly has two stable fortnights after the induction."""
_CALM: Final = PatientTraits(
    baseline=19,
    relief=15,
    tau=900,
    thoughts=False,
    answers=9,
    confirms=0.9,
    stops_at=None,
    prompt=True,
    noise=0.6,
    shocks=False,
)


@dataclass(frozen=True)
class Part:
    """One of the cast.

    Attributes:
        starts_on: day of the first session; they are enrolled some days before.
        hour: at which their sessions begin.
        traits: how they are; None for a handset that is left to the visitor.
        interval_days: to which a clinician changes the interval when the induction is over.
        forgotten_on: day of the session whose outcome nobody records.
        booked: whether the desk books their sessions.
        words: what they text on the visitor's first morning.
    """

    starts_on: int
    hour: int = 10
    traits: PatientTraits | None = _CALM
    interval_days: int | None = None
    forgotten_on: int | None = None
    booked: bool = True
    words: str | None = None

    @property
    def care(self) -> Care:
        """Return when they come."""
        return Care(enrols_on=max(self.starts_on - 5, 0), starts_on=self.starts_on, leaves_on=None)

    @property
    def fate(self) -> Fate:
        """Return what becomes of each of their bookings: they come."""
        return Fate(self.hour, (), Ending.ATTEND, 0)


CAST: Final[Mapping[int, Part]] = {
    0: Part(0, 9, interval_days=7),  # stays well: the interval may grow
    1: Part(7, 11, replace(_CALM, loses_after=6), interval_days=14),  # loses the response: it should shrink
    2: Part(0, 14),  # stays well at four weeks: nothing to decide yet
    3: Part(44, 15, replace(_CALM, baseline=22, relief=4, thoughts=True)),  # an alert is being dealt with
    4: Part(45, 13, None),  # whose phone the visitor holds
    5: Part(21, 10, replace(_CALM, answers=0)),  # has fallen silent
    6: Part(36, 16, forgotten_on=50),  # was to come on Tuesday, and nobody wrote down what happened
    7: Part(54, booked=False),  # is due, and nothing is booked
    8: Part(42, 12, words="Could I come an hour later on Friday? My daughter has the car."),
}


def of_the_cast(who: Person, here: str) -> Person:
    """Return a person of the cast: they live where the clinic is and agree to everything by text alone."""
    return replace(who, zone=here, email=None, by_text=PURPOSES, by_email=())


def who_reads_texts(who: Person) -> Person:
    """Return a person of the demonstration who is asked by text wherever they may be asked.

    Made-up patients answer texts and read no mail: whoever was asked by mail alone would seem to have fallen silent.
    """
    if "checkins" in who.by_text or "checkins" not in who.by_email:
        return who
    return replace(who, by_text=tuple(one for one in PURPOSES if one == "checkins" or one in who.by_text))


def opening_day(today: date) -> date:
    """Return the Monday on which a clinic opens whose past ends on a Thursday of this week or the one before."""
    ends = today - timedelta(days=(today.weekday() - 3) % 7)
    return ends - timedelta(days=PAST_DAYS)
