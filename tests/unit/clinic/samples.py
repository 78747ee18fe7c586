"""A day in a made-up clinic, as the read models would hold it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.clinic.model.chart import Scale
from services.clinic.model.clinic import Clinic, OnCall
from services.clinic.model.contacts import Consent, Contact, ContactKind, Purpose
from services.clinic.model.patient import Patient, PatientState
from services.clinic.model.people import Who
from services.clinic.model.reads import (
    Alert,
    AlertState,
    Answers,
    Checkin,
    CheckinState,
    Evidence,
    Message,
    MessageState,
    Plan,
    Proposal,
    ProposalState,
    Reply,
    Score,
    Session,
    SessionState,
    Silent,
    Source,
    Step,
    Void,
)
from services.clinic.model.roles import Role
from services.clinic.model.stopped import Stopped
from services.clinic.model.worklist import Dead, Due, Failure, Found, OffWindow, Unreached, Worklist
from services.clinic.store.staff import Member
from services.clinic.views.components import Moment, Shell
from services.clinic.views.compose_patient import Record
from services.clinic.views.compose_today import Day
from services.clinic.views.patient import Choice
from services.clinic.views.phone import Question, QuestionGroup, Questionnaire
from shared.ids import (
    AlertId,
    CheckinId,
    ClinicId,
    ContactId,
    MessageId,
    PatientId,
    PlanId,
    ProposalId,
    SessionId,
    StaffId,
    derived_id,
)
from shared.languages import Language
from shared.walltime import to_instant

SOURCES = {
    "interval-ladder": (
        Source(
            "Algorithm after STABLE; thresholds are defaults",
            "https://pmc.ncbi.nlm.nih.gov/articles/PMC7130448/table/T1",
            "ENGINEERING_DEFAULT",
        ),
    )
}
SCALE = Scale(
    "PHQ-9", 0, 27, ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe"))
)
BANDS = ("minimal", "mild", "moderate", "moderately severe", "severe")
ZONE = "America/New_York"
NOW = datetime(2026, 12, 1, 16, 10, tzinfo=UTC)
CLINIC = ClinicId(derived_id("clinic"))
NAMES = [
    ("Maya", "Okafor"), ("Daniel", "Reyes"), ("Ingrid", "Svensson"), ("Thomas", "Whitfield"), ("Lucía", "Marín"),
    ("Aaron", "Feldman"), ("Grace", "Nakamura"), ("Peter", "Kowalski"),
]  # fmt: skip


def an_id(*parts: object) -> UUID:
    return derived_id(*map(str, parts))


def a_patient(number: int = 0, **changes: object) -> Patient:
    given, family = NAMES[number]
    agreed = datetime(2026, 9, 1, 14, tzinfo=UTC)
    consents = tuple(Consent(purpose, "in person", agreed) for purpose in Purpose)
    patient = Patient(
        id=PatientId(an_id("patient", number)),
        clinic=CLINIC,
        version=3,
        state=PatientState.ENROLLED,
        given_name=given,
        family_name=family,
        birth_date=date(1984, 6, 17),
        zone="America/Chicago" if number == 3 else ZONE,
        language=Language.ES if number == 4 else Language.EN,
        external_id="A-10442",
        contacts=(
            Contact(ContactId(an_id("sms", number)), ContactKind.SMS, "+12025550123", consents),
            Contact(ContactId(an_id("mail", number)), ContactKind.EMAIL, "maya@example.org", consents[:1]),
        ),
        enrolled_at=agreed,
    )
    return replace(patient, **changes)  # type: ignore[arg-type]


PATIENTS = [a_patient(number) for number in range(len(NAMES))]
NAME_OF = {patient.id: Who(patient.name, patient.birth_date) for patient in PATIENTS}


def a_session(number: int, wall: datetime, state: SessionState = SessionState.BOOKED, nth: int | None = 4) -> Session:
    return Session(
        id=SessionId(an_id("session", number, wall)),
        patient=PATIENTS[number].id,
        version=2,
        starts_at=wall,
        zone=ZONE,
        starts_at_utc=to_instant(wall, ZONE),
        minutes=60,
        state=state,
        number=nth,
    )


def an_alert(number: int, state: AlertState = AlertState.OPEN) -> Alert:
    return Alert(
        id=AlertId(an_id("alert", number, state)),
        patient=PATIENTS[number].id,
        version=1,
        level="urgent",
        cause="PHQ-9 item 9 was answered “several days”.",
        raised_at=NOW - timedelta(minutes=25),
        pages=2,
        state=state,
        by="Dr. Alma Reid" if state is not AlertState.OPEN else None,
        at=NOW if state is not AlertState.OPEN else None,
        disposition="Called: safe, with her sister, visit brought forward." if state is AlertState.CLOSED else None,
    )


def a_checkin(number: int, state: CheckinState = CheckinState.OPEN) -> Checkin:
    return Checkin(
        id=CheckinId(an_id("checkin", number, state)),
        patient=PATIENTS[number].id,
        version=1,
        state=state,
        occurrence="day-7",
        instruments=("phq-9",),
        asked_for=date(2026, 11, 30),
        expires_at=NOW + timedelta(days=3),
        completed_at=None,
    )


def a_proposal(number: int, state: ProposalState = ProposalState.OPEN, direction: str = "lengthen") -> Proposal:
    return Proposal(
        id=ProposalId(an_id("proposal", number, state)),
        patient=PATIENTS[number].id,
        plan=PlanId(an_id("plan", number)),
        version=1,
        state=state,
        direction=direction,
        review=False,
        from_days=28,
        to_days=42 if direction == "lengthen" else 21,
        rule="interval-ladder",
        rule_version=1,
        reasons=(
            "Both scores of this cycle (4 and 5) are at or below 9.",
            "The cycle before was stable too.",
            "Above 28 days needs your explicit consent: this plan allows it.",
        ),
        ladder=(7, 14, 21, 28, 42, 56, 84),
        evidence=(Evidence(date(2026, 11, 23), 5), Evidence(date(2026, 11, 30), 4)),
        proposed_at=NOW - timedelta(hours=4),
        expires_at=NOW + timedelta(days=13),
        decided_days=None if state is ProposalState.OPEN else 28,
        by=None if state is ProposalState.OPEN else "Dr. Alma Reid",
        at=None if state is ProposalState.OPEN else NOW - timedelta(days=28),
    )  # fmt: skip


def a_message(number: int, state: MessageState, purpose: str = "reminder", reason: str | None = None) -> Message:
    at = NOW - timedelta(hours=22)
    return Message(
        id=MessageId(an_id("message", number, state, purpose)),
        patient=PATIENTS[number].id,
        version=3,
        purpose=purpose,
        channel="sms",
        occurrence="1d" if purpose == "reminder" else "day-7",
        to="+1•••••••0123",
        state=state,
        reason=reason,
        error="30003" if state is MessageState.FAILED else None,
        at=at,
        story=(Step(at, "accepted by the provider", None), Step(at + timedelta(seconds=6), str(state), reason)),
    )


def a_reply(number: int, text: str, intent: str = "other") -> Reply:
    return Reply(an_id("reply", number), PATIENTS[number].id, intent, text, NOW - timedelta(hours=1), None)


def scores_of(number: int) -> list[Score]:
    totals = [19, 15, 12, 9, 8, 5, 6, 4, 5, 6, 5, 4]
    first = date(2026, 9, 14)
    return [
        Score(
            checkin=CheckinId(an_id("score", number, at)),
            patient=PATIENTS[number].id,
            instrument="phq-9",
            total=total,
            band=BANDS[min(total // 5, 4)],
            asked_for=first + timedelta(days=7 * at),
            at=NOW,
            flags=("item9",) if at == 1 else (),
            scale=SCALE,
        )
        for at, total in enumerate(totals)
    ]


def a_plan(number: int) -> Plan:
    return Plan(
        id=PlanId(an_id("plan", number)),
        patient=PATIENTS[number].id,
        version=9,
        protocol="iv-ketamine",
        protocol_version=1,
        phase="maintenance",
        interval_days=28,
        next_due_on=date(2026, 12, 8),
        induction_complete=True,
        attended=7,
        why="Induction is complete; the last session was on November 10 and the interval is 28 days.",
    )


def an_off_window(number: int, *, late: bool = True) -> OffWindow:
    day, due = date(2026, 12, 15), date(2026, 12, 8 if late else 29)
    session = SessionId(an_id("session", number, "next"))
    starts_at = datetime(2026, 12, 15, 15, tzinfo=UTC)
    return OffWindow(session, PATIENTS[number].id, day, starts_at, due)


def a_failure(
    cause: str, state: MessageState = MessageState.FAILED, count: int = 40, said: tuple[str, ...] = ()
) -> Failure:
    whose = (PATIENTS[6].id, PATIENTS[1].id)
    return Failure(
        state, "sms", cause, count, count - 2, whose, NOW - timedelta(hours=22), NOW - timedelta(hours=1), *said
    )


def answers_that_came(number: int, why: str | None = None) -> Answers:
    """A post-session check with words, and a PHQ-9 that a program may have answered and staff voided."""
    checkin, patient = CheckinId(an_id("came", number)), PATIENTS[number].id
    check = Score(
        checkin=checkin,
        patient=patient,
        instrument="post-session",
        total=None,
        band=None,
        asked_for=date(2026, 11, 30),
        at=NOW,
        flags=("side-effect:nausea",),
        answers={"mood": 2, "nausea": 1},
        words="My ears ring at night.\nIs that usual?",
    )
    void = Void("Alma Reid", NOW, "A mail scanner.", replaced=False)
    phq9 = replace(check, instrument="phq-9", total=27, band="severe", flags=("item9",), answers={}, words=None)
    machine = replace(phq9, id=an_id("machine"), seconds=2, quick=True, voided=void)
    seen = why == "unfinished"
    return Answers(
        id=an_id("came", number, why),
        checkin=checkin,
        patient=patient,
        at=NOW,
        occurrence="day-1",
        scores=(check,) if why else (replace(check, id=an_id("check", number), quick=True, seconds=4), machine),
        why=why,
        seen_by="Alma Reid" if seen else None,
        seen_at=NOW if seen else None,
    )


def a_day() -> Day:
    day = datetime(2026, 12, 1)  # noqa: DTZ001 - a wall time
    return Day(
        sessions=[
            a_session(0, day.replace(hour=9), SessionState.ATTENDED),
            a_session(1, day.replace(hour=10), SessionState.MISSED, 2),
            a_session(2, day.replace(hour=11), SessionState.CONFIRMED, 6),
            a_session(3, day.replace(hour=11, minute=30), SessionState.BOOKED, 1),
            a_session(4, day.replace(hour=14), SessionState.CONFIRMED, 9),
            a_session(5, day.replace(hour=15, minute=15), SessionState.BOOKED),
            a_session(6, day.replace(hour=16), SessionState.CANCELLED),
        ],
        alerts=[an_alert(7), an_alert(6, AlertState.ACKNOWLEDGED)],
        checkins=Found([a_checkin(5), a_checkin(6)], 2),
        proposals=Found([a_proposal(0), a_proposal(1, direction="shorten")], 2),
        waiting=Worklist(
            unrecorded=Found([a_session(2, day.replace(hour=9) - timedelta(days=3))], 1),
            due=Found([Due(PATIENTS[4].id, "maintenance", 7, date(2026, 11, 29))], 9),
            off_window=Found([an_off_window(2), an_off_window(3, late=False)], 2),
            replies=Found([a_reply(3, "Could I come at 12 instead? My ride is late")], 101),
            failures=Found([a_failure("30003"), a_failure("opted_out", MessageState.WITHHELD)], 2),
            answers=Found([answers_that_came(3), answers_that_came(4, "late")], 12),
            silent=Found([Silent(PATIENTS[5].id, None, date(2026, 11, 24), 3)], 1),
            unasked=Found([Silent(PATIENTS[6].id, None, date(2026, 11, 24), 4)], 1),
            unreached=Found(
                [
                    Unreached(
                        PATIENTS[4].id, False, 1, (Dead("sms", "30005", None, to_instant(day, "America/New_York")),)
                    )
                ],
                1,
            ),
        ),
    )


def a_record(number: int = 0) -> Record:
    day = datetime(2026, 12, 8, 10)  # noqa: DTZ001 - a wall time
    old = [
        datetime(2026, 9, 14, 10) + timedelta(days=offset)  # noqa: DTZ001 - wall times
        for offset in (0, 3, 7, 10, 14, 17, 45)
    ]
    return Record(
        plan=a_plan(number),
        sessions=[
            a_session(number, day),
            *(a_session(number, wall, SessionState.ATTENDED, nth + 1) for nth, wall in enumerate(old)),
        ],
        checkins=[
            a_checkin(number),
            a_checkin(number, CheckinState.COMPLETED),
            a_checkin(number, CheckinState.EXPIRED),
        ],
        scores=scores_of(number),
        proposals=[a_proposal(number), a_proposal(number, ProposalState.APPROVED)],
        alerts=[an_alert(number, AlertState.CLOSED)],
        messages=[
            a_message(number, MessageState.DELIVERED),
            a_message(number, MessageState.WITHHELD, "checkin", "quiet_hours"),
        ],
        replies=[a_reply(number, "C", "confirm")],
        unread=[a_reply(number, "Could I come at noon?")],
        off_window=[an_off_window(number)],
        stopped=Stopped(),
        answers=[answers_that_came(number), answers_that_came(number, "unfinished")],
    )


QUESTIONS = Questionnaire(
    "phq-9",
    "PHQ-9",
    "Developed by others.",
    (
        QuestionGroup(
            "How often?",
            tuple(
                Question(str(number), f"Question {number}", number < 4, (Choice("0", "Never"), Choice("1", "Often")))
                for number in range(1, 5)
            ),
        ),
    ),
)

A_CLINIC = Clinic(
    id=CLINIC,
    version=3,
    name="Keepwell Clinic",
    sender_name="Keepwell",
    zone=ZONE,
    phone="+12025550100",
    texts_from="08:00",
    texts_until="21:00",
    crisis={Language.EN: "Call 988.", Language.ES: "Llame al 988."},
    oncall=(OnCall(ContactKind.SMS, "+12025550199"),),
)
STAFF = [
    Member(StaffId(an_id("staff", login)), CLINIC, login, name, role, active=active, must_change=login == "kim")
    for login, name, role, active in (
        ("alma", "Dr. Alma Reid", Role.CLINICIAN, True),
        ("kim", "Kim Lee", Role.STAFF, True),
        ("ada", "Ada Adler", Role.ADMIN, True),
        ("otto", "Otto Old", Role.STAFF, False),
    )
]

SHELL = Shell(
    clinic="Keepwell Clinic",
    staff="Dr. Alma Reid",
    role="clinician",
    zone=ZONE,
    clock=Moment(NOW.isoformat(), "Tue, Dec 1, 11:10 AM"),
    csrf="token",
    here="today",
    alerts=1,
    proposals=2,
)
