"""A patient in the list, and what a patient's own page has in common with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.clinic.model.chart import Scale, spark
from services.clinic.model.patient import Patient, PatientState
from services.clinic.model.people import Who
from services.clinic.model.reads import Plan, Score, Session
from services.clinic.views.components import (
    Chip,
    Tone,
    band_chip,
    days,
    named,
    say_date,
    say_instrument,
    say_language,
    session_chip,
    wall_moment,
)
from services.clinic.views.patient import PatientRow, Spark
from shared.walltime import to_wall

_SPARK_READINGS: Final = 8


def state_chip(state: PatientState) -> Chip:
    return Chip("in care", Tone.GOOD) if state is PatientState.ENROLLED else Chip("discharged")


def patient_row(
    patient: Patient,
    *,
    plan: Plan | None,
    upcoming: Session | None,
    scores: Sequence[Score],
    alerts: int,
    proposals: int,
    now: datetime,
) -> PatientRow:
    """Return a patient in the list; `scores` are those of the PHQ-9, oldest first."""
    totals = [score.total for score in scores if score.total is not None]
    drawn = spark(totals[-_SPARK_READINGS:], scale_of(scores).highest) if totals else None
    today = to_wall(now, patient.zone).date()
    late = plan is not None and plan.next_due_on < today
    due = f"due {say_date(plan.next_due_on)}" if plan else "no plan"
    marks = [Chip("alert", Tone.DANGER)] * bool(alerts) + [Chip("to decide", Tone.ACCENT)] * bool(proposals)
    if plan and late and upcoming is None and patient.state is PatientState.ENROLLED:
        marks.append(Chip("overdue", Tone.WARN))
    if patient.state is PatientState.DISCHARGED:
        marks.append(state_chip(patient.state))
    return PatientRow(
        person=named(patient.id, Who(patient.listed_name, patient.birth_date)),
        under=f"{say_language(patient.language)}, {plan.phase}" if plan else say_language(patient.language),
        state=state_chip(patient.state),
        interval=days(plan.interval_days) if plan else "",
        next_session=wall_moment(upcoming.starts_at) if upcoming else None,
        next_state=session_chip(upcoming.state) if upcoming else None,
        due=due,
        score=band_chip(scores[-1]) if scores else None,
        spark=Spark(*drawn) if drawn else None,
        marks=tuple(marks),
    )


def scale_of(scores: Sequence[Score]) -> Scale:
    """Return what the owner last said of the scores' instrument; else what the scores themselves show."""
    said = next((score.scale for score in reversed(scores) if score.scale is not None), None)
    totals = [score.total for score in scores if score.total is not None]
    # Scores from before their instrument was described: where there is no total, the course of the mood can be drawn.
    moods = [score.mood for score in scores if score.mood is not None]
    name = say_instrument(scores[-1].instrument)
    return said or (Scale.plain(name, totals) if totals else Scale.plain(name, moods, of="mood"))
