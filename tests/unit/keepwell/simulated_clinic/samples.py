"""A small clinic's record to try the account on: one patient, one session, and the texts that belong to it."""

from datetime import UTC, date, datetime, timedelta

from keepwell.simulated_clinic.choices import Care, Ending, Fate
from keepwell.simulated_clinic.dues import Due, dues_of
from keepwell.simulated_clinic.people import Person
from keepwell.simulated_clinic.reading import Reading, Said, when
from keepwell.simulated_clinic.record import Chart, Placement, Visit
from keepwell.simulated_clinic.verdict import Channel, Message, Note, Verdict, check_ledger
from shared.languages import Language
from shared.walltime import parse_wall, to_instant

ZONE = "America/New_York"
NUMBER, ADDRESS = "+12125550100", "patient.0@mailbox.example"
ENROLLED = datetime(2026, 11, 30, 12, 40, 7, tzinfo=UTC)
SESSION = "session-1"
AT_TEN = parse_wall("2026-12-10T10:00")
AT_NOON = parse_wall("2026-12-15T12:00")
END = datetime(2027, 1, 1, tzinfo=UTC)


def instant(at: datetime) -> datetime:
    return to_instant(at, ZONE)


def a_person(language: Language = Language.EN) -> Person:
    return Person(
        index=0,
        external_id="made-up-0000",
        given_name="Ada",
        family_name="Clark",
        birth_date=date(1970, 1, 1),
        language=language,
        zone=ZONE,
        number=NUMBER,
        email=ADDRESS,
        by_text=("reminders", "checkins", "booking"),
        by_email=(),
    )


def a_chart(starts_at: datetime = AT_TEN, *, language: Language = Language.EN) -> Chart:
    chart = Chart(a_person(language), Care(0, 1, None), "patient-1", ENROLLED)
    chart.saw_plan(ENROLLED, version=1, next_due_on=starts_at.date())
    fate = Fate(starts_at.hour, (), Ending.ATTEND, 0)
    chart.visits.append(Visit(SESSION, 0, fate, [Placement(starts_at, ZONE, ENROLLED)]))
    chart.saw_plan(ENROLLED, version=1, next_due_on=starts_at.date())
    return chart


def attended(chart: Chart) -> Chart:
    visit = chart.visits[0]
    now = visit.present.starts_at_utc + timedelta(minutes=100)
    visit.end(now)
    visit.attended_at, visit.attended_on = now, visit.present.starts_at.date()
    chart.saw_plan(now, version=2, next_due_on=visit.present.starts_at.date() + timedelta(days=3))
    return chart


def reminder(
    wall: datetime,
    at: datetime,
    *,
    channel: Channel = Channel.SMS,
    language: Language = Language.EN,
    to: str | None = None,
    name: str = "SM1",
) -> Message:
    day, time = when(language, wall, by_mail=channel is Channel.EMAIL)
    reading = Reading(Said.REMINDER, day, time)
    return Message(name, channel, to or (NUMBER if channel is Channel.SMS else ADDRESS), at, reading, delivered=True)


def question(at: datetime, link: str, name: str = "SM2") -> Message:
    return Message(name, Channel.SMS, NUMBER, at, Reading(Said.CHECKIN, link=link), delivered=True)


def both_reminders(chart: Chart) -> list[Message]:
    wall = chart.visits[0].present.starts_at
    return [reminder(wall, due.at, name=due.occurrence) for due in dues_of(chart, END) if due.kind == "reminder"]


def note(due: Due, state: str, reason: str = "", *, due_at: datetime | None = None) -> Note:
    return Note(due.patient, due.kind.value, due.about, due.occurrence, due_at or due.at, state, reason)


def verdict_on(
    chart: Chart, messages: list[Message], until: datetime = END, *, notes: list[Note] | None = None
) -> Verdict:
    return check_ledger([chart], dues_of(chart, until), messages, notes=notes or [])
