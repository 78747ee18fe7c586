"""The protocols that ship. A change of any figure is a new version beside the old one, never an edit of it."""

from dataclasses import replace
from datetime import date
from typing import Final

from services.scheduler.model.protocols import (
    Cadence,
    Maintenance,
    Measures,
    Protocol,
    Provenance,
    Series,
    UnknownProtocolError,
    Window,
)
from shared.evidence import Grade

_READ_ON: Final = date(2026, 11, 21)
_IV: Final = "intravenous ketamine, off label, treatment-resistant depression in adults"
_ANY: Final = "any session of any protocol"
_SERIES_URL: Final = "https://pubmed.ncbi.nlm.nih.gov/32871698/"
_COHORT_URL: Final = (
    "https://www.psychiatrist.com/jcp/clinical-outcomes-intravenous-ketamine-for-depression-va-health-system/"
)

CADENCE_1: Final = Cadence(
    reminder_days=(3, 1),
    post_session_days=(1, 3),
    first_weekly_day=7,
    last_weekly_day=26 * 7,
    booking_days=7,
    provenance=(
        Provenance(
            id="reminders-3d-1d",
            text="Remind three days and one day before: 4.4 % missed, against 5.8 % and 5.3 % with one reminder.",
            source_url="https://pubmed.ncbi.nlm.nih.gov/30130032/",
            grade=Grade.RCT,
            verified_on=_READ_ON,
            applies_to=_ANY,
        ),
        Provenance(
            id="checkins-weekly",
            text="Ask weekly from day 7: weekly questionnaires by text or e-mail were answered 75 % of the time.",
            source_url="https://www.scni.ox.ac.uk/publications/97887",
            grade=Grade.OBSERVATIONAL,
            verified_on=_READ_ON,
            applies_to="mood monitoring of outpatients",
        ),
        Provenance(
            id="checkins-day-1-and-3",
            text="Each attended session starts the questions anew; on days 1 and 3 a short check of effects and mood, "
            "because the PHQ-9 asks about two weeks.",
            source_url="https://moodmonitor.helpscoutdocs.com/article/22-setting-a-schedule-for-when-phq-9s-are-sent-out",
            grade=Grade.ENGINEERING_DEFAULT,
            verified_on=_READ_ON,
            applies_to=_ANY,
        ),
    ),
)

_CHECKS_TEXT: Final = (
    "Each attended session starts the short checks anew: effects and mood on days 1 and 3, because the PHQ-9 asks "
    "about two weeks and says nothing of a single day."
)

CADENCE_2: Final = replace(
    CADENCE_1,
    measures=Measures(
        baseline_days=3, before_session_days=2, earliest_day=4, apart_days=4, most_days=10, useful_days=6
    ),
    provenance=(
        CADENCE_1.provenance[0],
        Provenance(
            id="checkins-day-1-and-3-again",
            text=_CHECKS_TEXT,
            source_url=CADENCE_1.provenance[2].source_url,
            grade=Grade.ENGINEERING_DEFAULT,
            verified_on=_READ_ON,
            applies_to=_ANY,
        ),
        Provenance(
            id="baseline-before-the-first-session",
            text="Ask the PHQ-9 before the first session: a response is counted from it. A cohort of 215 began at a "
            "mean of 18.6. That it is asked three days ahead, or at once where the session is nearer, is our default.",
            source_url=_COHORT_URL,
            grade=Grade.OBSERVATIONAL,
            verified_on=_READ_ON,
            applies_to=_IV,
        ),
        Provenance(
            id="measures-weekly",
            text="Ask the PHQ-9 weekly: in the induction counted from its first session, so that later sessions push "
            "none away; after it from the latest session. Weekly questionnaires by text or e-mail were answered 75 % "
            "of the time.",
            source_url="https://www.scni.ox.ac.uk/publications/97887",
            grade=Grade.OBSERVATIONAL,
            verified_on=_READ_ON,
            applies_to="mood monitoring of outpatients",
        ),
        Provenance(
            id="measure-before-a-session",
            text="In maintenance ask the PHQ-9 two days before the next session too, where no weekly one falls into "
            "the five days before it: the best interval ends a little before the effect wears off. The PHQ-9 asks "
            "about two weeks, so two of them are four days apart or more.",
            source_url="https://dev2.psychiatrist.com/jcp/ketamine-for-depression-dosing-administration-and-duration",
            grade=Grade.ENGINEERING_DEFAULT,
            verified_on=_READ_ON,
            applies_to=_ANY,
        ),
    ),
)

INDUCTION_WINDOW: Final = Window(
    earlier_days=1,
    later_days=2,
    provenance=Provenance(
        id="booked-near-its-day-in-the-induction",
        text="In the induction a session is booked at most one day before and two days after the day on which it is "
        "due, so that a weekend fits in; of others staff are told. The series is the source's, these days are our own.",
        source_url=_SERIES_URL,
        grade=Grade.ENGINEERING_DEFAULT,
        verified_on=_READ_ON,
        applies_to=_IV,
    ),
)
MAINTENANCE_WINDOW: Final = Window(
    earlier_days=3,
    later_days=3,
    provenance=Provenance(
        id="booked-near-its-day-in-maintenance",
        text="In maintenance a session is booked at most three days before or after the day on which it is due, less "
        "than half of the shortest interval; of others staff are told. The intervals are the source's, these days are "
        "our own.",
        source_url=_COHORT_URL,
        grade=Grade.ENGINEERING_DEFAULT,
        verified_on=_READ_ON,
        applies_to=_IV,
    ),
)
"""They tell staff what to look at and change nothing that a patient gets: every version has them."""

IV_KETAMINE_1: Final = Protocol(
    id="iv-ketamine",
    version=1,
    name="IV ketamine: six sessions over three weeks, then maintenance",
    modality="ketamine",
    route="intravenous",
    series=(
        Series(
            name="induction",
            days=(0, 3, 7, 10, 14, 17),
            provenance=Provenance(
                id="iv-ketamine-induction-1",
                text="Six sessions over three weeks, two in each week.",
                source_url=_SERIES_URL,
                grade=Grade.OBSERVATIONAL,
                verified_on=_READ_ON,
                applies_to=_IV,
            ),
            window=INDUCTION_WINDOW,
        ),
    ),
    maintenance=Maintenance(
        interval_days=28,
        ladder=(7, 14, 21, 28, 42, 56, 84),
        opt_in_above=28,
        provenance=Provenance(
            id="iv-ketamine-maintenance-1",
            text="Then one session every four weeks: a cohort of 215 reached three to four weeks within five months.",
            source_url=_COHORT_URL,
            grade=Grade.OBSERVATIONAL,
            verified_on=_READ_ON,
            applies_to=_IV,
        ),
        ladder_provenance=Provenance(
            id="iv-ketamine-ladder-1",
            text="Intervals of 7 to 84 days: reports of maintenance reach once in twelve weeks. Above 28 by opt-in.",
            source_url="https://explorer.cuni.cz/publication/640754?lang=en&query=language+of+mathematics",
            grade=Grade.ENGINEERING_DEFAULT,
            verified_on=_READ_ON,
            applies_to=_IV,
        ),
        window=MAINTENANCE_WINDOW,
    ),
    cadence=CADENCE_1,
)

IV_KETAMINE_2: Final = replace(IV_KETAMINE_1, version=2, cadence=CADENCE_2)
"""With a baseline and measures that sessions do not push away. A plan that runs on version 1 stays on it: what its
patient is asked does not change under a clinician who agreed to something else."""

PROTOCOLS: Final = (IV_KETAMINE_2, IV_KETAMINE_1)
WITHOUT_PLAN: Final = CADENCE_2
"""When a patient without a plan is reminded and asked: as the newest plans are."""


def newest(protocol: str) -> Protocol:
    """Return the newest version of a protocol: a new plan begins with it.

    Raises:
        UnknownProtocolError: if there is no protocol of this id.
    """
    versions = [known for known in PROTOCOLS if known.id == protocol]
    if not versions:
        raise UnknownProtocolError(protocol, tuple(sorted({known.id for known in PROTOCOLS})))
    return max(versions, key=lambda known: known.version)


def exactly(protocol: str, version: int) -> Protocol:
    """Return a protocol at the version a plan began with.

    Raises:
        UnknownProtocolError: if that version does not ship any more.
    """
    for known in PROTOCOLS:
        if (known.id, known.version) == (protocol, version):
            return known
    raise UnknownProtocolError(f"{protocol} version {version}", tuple(f"{p.id} {p.version}" for p in PROTOCOLS))
