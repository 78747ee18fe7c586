"""What every page of the console stands on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response

from services.clinic.authentication import Authentication
from services.clinic.commands.patients import PatientCommands, who
from services.clinic.live_updates import LiveUpdates
from services.clinic.model.clinic import Clinic
from services.clinic.model.people import Who
from services.clinic.model.reads import AlertState, OnCall, ProposalState
from services.clinic.model.roles import Permission
from services.clinic.other_services import OtherServices
from services.clinic.own_writes import OwnWrites
from services.clinic.pages.page_request import PageRequest, authorize, page, see
from services.clinic.store import audit, clinics, patients, reads
from services.clinic.views.components import Notice, Shell, Tone, moment, say_speed
from services.clinic.views.compose_patient import able
from services.clinic.views.oncall import oncall_notices
from shared.clock import Clock, LivedClock
from shared.database import Database, Reader
from shared.ids import ClinicId, PatientId
from shared.protection import Keyring
from shared.web.client import ServiceClient
from shared.web.problems import NotFound

_SAID_COOKIE: Final = "keepwell_said"
SAID: Final = {
    "enrolled": "The patient is enrolled.",
    "changed": "The changes are saved.",
    "discharged": "The patient is discharged. Nothing more is sent to them.",
    "discharged-follows": (
        "The patient is discharged. Nothing more is sent to them. Their plan and sessions end in a moment."
    ),
    "reinstated": (
        "The patient is in care again, with the consents of before; who said stop gets no texts. The plan and the "
        "sessions are not restarted: continue the plan below, or start another, and book."
    ),
    "joined": "The two records are joined. What was recorded under the other one is shown here too, marked as that.",
    "plan": "The plan has started.",
    "continued": "The plan goes on. What is due stands below; sessions that were cancelled have to be booked.",
    "booked": "The session is booked. Reminders that are still ahead go out by the plan.",
    "moved": "The session is moved, and its reminders with it. Keepwell had not told the patient the old time.",
    "moved-now": "The session is moved. The patient was told the old time; the new one goes out within two minutes.",
    "moved-at": "The session is moved. The patient was told the old time; the new one goes out {when}.",
    "moved-late": (
        "The session is moved. The patient was told the old time. The new one goes out {when}, which may be too late: "
        "please call them."
    ),
    "moved-told": (
        "The session is moved. Keepwell had told the patient of it. Whether they hear the new time stands below, under "
        "Messages; if nothing is planned there, please call them."
    ),
    "cancelled": "The session is cancelled, and its reminders with it. Keepwell had not told the patient of it.",
    "cancelled-now": "The session is cancelled. The patient was told of it; word goes out within two minutes.",
    "cancelled-at": "The session is cancelled. The patient was told of it; word goes out {when}.",
    "cancelled-late": (
        "The session is cancelled. The patient was told of it. Word goes out {when}, which may be too late: please "
        "call them."
    ),
    "cancelled-told": (
        "The session is cancelled. Keepwell had told the patient of it. Whether they hear that it is off stands below, "
        "under Messages; if nothing is planned there, please call them."
    ),
    "attended": "Noted as attended. Check-ins follow.",
    "attended-follows": "Noted as attended. The plan and check-ins follow in a moment.",
    "missed": "Noted as missed.",
    "put-right": "The record is corrected. What was there before stays beside it; plan and check-ins follow.",
    "put-right-follows": (
        "The record is corrected. What was there before stays beside it; plan and check-ins follow in a moment."
    ),
    "taken": "The answers are saved.",
    "taken-alert": (
        "The answers are saved, and one of them needs a person now. Stay with the patient on the phone: the alert and "
        "what to tell them stand below."
    ),
    "asked": "The check-in is on its way.",
    "voided": "The score counts no more, and stays on record. A new link is on its way to the patient.",
    "corrected": "The answers are corrected. Those of before stay on record.",
    "decided": "Your decision is saved. The plan below shows what holds.",
    "decided-follows": "Your decision is saved. The plan below follows in a moment.",
    "refused": "Your decision is saved. The plan stays as it is.",
    "taken-back": "The decision is taken back and stays on record. What held before it holds again.",
    "taken-back-follows": (
        "The decision is taken back and stays on record. The plan below follows in a moment: what held before it then "
        "holds again."
    ),
    "stays": "Noted: it stays where it is booked. You are asked again only if it moves or its due date changes.",
    "acknowledged": "You have acknowledged the alert. It stays on Today until it is closed with what was done.",
    "contact-bad": "Noted: nothing is sent there any more, until it is corrected or said to work.",
    "contact-works": "Noted: it is used again.",
    "wants-texts": "Noted: texts go on to this number.",
    "wants-no-texts": "Noted: no more texts go to this number. Only a text START from it brings them back.",
    "called": "Noted that you called.",
    "seen": "Marked as seen to.",
    "closed": "The alert is closed.",
    "read": "Marked as read.",
    "signed": "The rule is signed.",
    "withdrawn": "Your clinic's signature is withdrawn, and stays on record. The rule is off until it is signed again.",
    "settings": "The settings are saved.",
    "password": "Your password is changed. Your sessions in other browsers have ended.",
    "deactivated": "They can log in no more.",
}
"""What a page says after a form was done, by a word that a short-lived cookie carries: nothing of it is in a URL."""
_LOUD: Final = frozenset({"taken-alert", "moved-late", "cancelled-late"})


OPENED_WITHIN: Final = timedelta(minutes=15)
"""For how long a line says of a page that stays open that it was read; then the next look has one of its own."""
_LONGEST_SECONDS: Final = 11
"""Digits of an instant in seconds that a calendar can still show."""


@dataclass(frozen=True)
class Console:
    """The parts that pages use."""

    database: Database
    keyring: Keyring
    authentication: Authentication
    live_updates: LiveUpdates
    client: ServiceClient
    other_services: OtherServices
    own_writes: OwnWrites
    patient_commands: PatientCommands
    clock: Clock
    trial: bool
    live: bool
    mailbox: str | None = None

    async def authorize(self, request: Request, needed: Permission = Permission.SEE_PATIENTS) -> PageRequest:
        """Return who is here; see `services.clinic.pages.page_request.authorize`."""
        return await authorize(self.authentication, request, needed)

    async def clinic(self, reader: Reader, clinic: ClinicId) -> Clinic:
        """Return the clinic of who is logged in."""
        found = await clinics.find(reader, clinic, self.keyring)
        if found is None:
            raise NotFound("Your clinic does not exist any more.")
        return found

    async def names(
        self, reader: Reader, clinic: ClinicId, *things: Iterable[Any], also: Iterable[PatientId] = ()
    ) -> dict[PatientId, Who]:
        """Return by what the patients that these things are about, and others, are told apart."""
        wanted = {thing.patient for group in things for thing in group if thing.patient} | set(also)
        return await patients.names(reader, clinic, wanted, self.keyring)

    async def note(
        self, here: PageRequest, what: str, *, thing: UUID | None = None, patient: UUID | None = None
    ) -> None:
        """Write into the audit trail what somebody has seen or done here; once for a page that stays open."""
        principal = here.principal
        about = None if patient is None else PatientId(patient)
        async with self.database.transaction() as tx:
            if not await self.noted(tx, here, what, thing=thing, patient=about):
                await audit.note(tx, principal.clinic, who(principal), what, thing=thing, patient=about)

    async def noted(
        self, reader: Reader, here: PageRequest, what: str, *, thing: UUID | None, patient: PatientId | None
    ) -> bool:
        """Tell whether a page only fetches itself again whose opening stands in the audit trail.

        That it does is what the caller says; that it was opened a short while ago is what the trail says.
        """
        if not here.live:
            return False
        since = reader.now - OPENED_WITHIN
        clinic, person = here.principal.clinic, who(here.principal)
        return await audit.stands(reader, clinic, person, what, thing=thing, patient=patient, since=since)

    async def show(
        self,
        here: PageRequest,
        reader: Reader,
        clinic: Clinic,
        view: Any,
        *,
        template: str,
        place: str | None = None,
        notices: tuple[Notice, ...] = (),
        status: int = HTTPStatus.OK,
    ) -> Response:
        """Return a page in its shell; what the last form had to say is said once."""
        word, _, seconds = here.request.cookies.get(_SAID_COOKIE, "").partition(".")
        said, tone = _said(word, seconds, clinic.zone), Tone.DANGER if word in _LOUD else Tone.GOOD
        last_notice = (Notice(said, tone),) if said and not notices else ()
        member = here.user.member
        untaken = await reads.count_alerts(reader, reads.Wanted(clinic.id, states=[AlertState.OPEN]))
        taken = await reads.count_alerts(reader, reads.Wanted(clinic.id, states=[AlertState.ACKNOWLEDGED]))
        to_decide = reads.Wanted(clinic.id, states=[ProposalState.OPEN])
        shell = Shell(
            clinic=clinic.name,
            staff=member.name,
            role=str(member.role),
            zone=clinic.zone,
            clock=moment(reader.now, clinic.zone),
            csrf=here.user.csrf,
            here=place or template,
            alerts=untaken + taken,
            loud=untaken > 0,
            proposals=await reads.count_proposals(reader, to_decide),
            trial=say_speed(self.clock.speed) if self.trial else "",
            nights=self.trial and isinstance(self.clock, LivedClock),
            notices=self._warnings(clinic, await reads.oncall(reader, clinic.id)) + last_notice + notices,
        )
        answer = page(template, status=status, shell=shell, page=view, able=able(member.role))
        if last_notice:
            answer.delete_cookie(_SAID_COOKIE, path="/console")
        return answer

    def _warnings(self, clinic: Clinic, oncall: Sequence[OnCall]) -> tuple[Notice, ...]:
        if not self.live or clinic.pages_somebody:
            return oncall_notices(oncall)
        return (
            Notice(
                "Safety alerts page nobody: the number on call is made up. Set a real one (see Settings).", Tone.DANGER
            ),
        )

    def done(self, said: str, path: str, *, when: datetime | None = None) -> Response:
        """Send the browser on after a form was done, with a word of what was done and the instant that it names."""
        answer = see(path)
        word = said if when is None else f"{said}.{int(when.timestamp())}"
        answer.set_cookie(_SAID_COOKIE, word, max_age=30, path="/console", httponly=True, samesite="lax")
        return answer


def _said(word: str, seconds: str, zone: str) -> str | None:
    """Return what a page says; None where the cookie's word is none of ours."""
    said = SAID.get(word)
    if said is None or "{when}" not in said:
        return said
    if not (seconds.isdecimal() and seconds.isascii() and len(seconds) <= _LONGEST_SECONDS):
        return None
    return said.format(when=moment(datetime.fromtimestamp(int(seconds), UTC), zone).text)


def patient_path(patient: UUID) -> str:
    """Return the address of a patient's page."""
    return f"/console/patients/{patient}"
