"""What the console learns: an event in, a row out, and word to the open pages."""

import json

from services.clinic.live_updates import LiveUpdates
from services.clinic.model.reads import COMES_LATE, AlertState, CheckinState, MessageState, ProposalState
from services.clinic.model.replies import SETTLED, gravity, needs_a_person, yes_is_void
from services.clinic.store import audit, checks, doubts, event_rows, read_models, reasons
from services.clinic.store.reads import WHOLE
from services.clinic.tables import ALERTS, CHECKINS, FURTHER, PLANS, PROPOSALS, REPLIES, SESSIONS
from shared import events
from shared.bus import Handlers
from shared.database import Transaction
from shared.ids import PatientId
from shared.protection import Keyring

_DECIDED = {
    "approve": ProposalState.APPROVED,
    "change": ProposalState.CHANGED,
    "refuse": ProposalState.REFUSED,
}
_STORY = {
    MessageState.SENT: "accepted by the provider",
    MessageState.DELIVERED: "delivered",
    MessageState.FAILED: "failed",
    MessageState.WITHHELD: "withheld",
}


def handlers(live_updates: LiveUpdates, keyring: Keyring) -> Handlers:
    """Return what the clinic service does about each event."""
    made = Handlers()
    _scheduling(made, live_updates)
    _checkins(made, live_updates, keyring)
    _alerts(made, live_updates)
    _oncall(made, live_updates)
    _proposals(made, live_updates)
    _messaging(made, live_updates)
    _replies(made, live_updates, keyring)
    return made


def _scheduling(made: Handlers, live_updates: LiveUpdates) -> None:
    @made.on(events.PlanStarted, events.PlanChanged)
    async def plan(tx: Transaction, event: events.PlanStarted) -> None:
        await read_models.keep(tx, PLANS, event_rows.plan_row(event))
        if isinstance(event, events.PlanChanged) and event.continued is not None:
            await reasons.keep_continued(tx, event, event.continued)
        live_updates.after(tx, event.clinic, "plans")

    @made.on(
        events.SessionBooked,
        events.SessionMoved,
        events.SessionConfirmed,
        events.SessionCancelled,
        events.SessionUnconfirmed,
        events.SessionAttended,
        events.SessionMissed,
        events.SessionCorrected,
    )
    async def session(tx: Transaction, event: events.scheduling.SessionEvent) -> None:
        row = event_rows.session_row(event)
        if isinstance(event, events.SessionCorrected):
            row |= {"corrected_from": event.before, "corrected_by": event.by}
            row |= {"corrected_at": event.at, "corrected_why": event.reason}
        await read_models.keep(tx, SESSIONS, row)
        live_updates.after(tx, event.clinic, "sessions")


def _checkins(made: Handlers, live_updates: LiveUpdates, keyring: Keyring) -> None:
    @made.on(events.CheckinOpened)
    async def opened(tx: Transaction, event: events.CheckinOpened) -> None:
        state = CheckinState.PARTIAL if event.begun else CheckinState.OPEN
        await read_models.keep(tx, CHECKINS, {**_checkin(event), "state": str(state), "expires_at": event.expires_at})
        live_updates.after(tx, event.clinic, "checkins")

    @made.on(events.CheckinCompleted)
    async def completed(tx: Transaction, event: events.CheckinCompleted) -> None:
        takers = [one.get("entered_by") for one in json.loads(keyring.open(event.result, context="result"))]
        # Whoever took the answers by phone has seen them; what comes by link nobody has.
        by = None if None in takers else ", ".join(dict.fromkeys(takers))
        seen = {"seen_by": by or None, "seen_at": event.completed_at if by else None}
        result = {"completed_at": event.completed_at, "result": event.result, "voided": event.voided, **seen}
        await read_models.keep(tx, CHECKINS, {**_checkin(event), "state": str(CheckinState.COMPLETED), **result})
        live_updates.after(tx, event.clinic, "checkins")

    @made.on(events.ResultChanged)
    async def changed(tx: Transaction, event: events.ResultChanged) -> None:
        said = {"state": event.state, "completed_at": event.completed_at}
        sealed = {"result": event.result, "voided": event.voided}
        await read_models.keep(tx, CHECKINS, {**_checkin(event), **said, **sealed})
        live_updates.after(tx, event.clinic, "checkins")

    @made.on(events.AnswersSetAside)
    async def set_aside(tx: Transaction, event: events.AnswersSetAside) -> None:
        about = {"checkin": event.checkin, "occurrence": event.occurrence, "asked_for": event.asked_for}
        said = {"why": event.why, "at": event.at, "content": event.content}
        await read_models.keep(tx, FURTHER, {**_thing(event, "answers"), **about, **said})
        live_updates.after(tx, event.clinic, "checkins")

    @made.on(events.CheckinExpired)
    async def expired(tx: Transaction, event: events.CheckinExpired) -> None:
        await read_models.keep(tx, CHECKINS, {**_checkin(event), "state": str(CheckinState.EXPIRED)})
        live_updates.after(tx, event.clinic, "checkins")


def _alerts(made: Handlers, live_updates: LiveUpdates) -> None:
    @made.on(events.AlertRaised)
    async def raised(tx: Transaction, event: events.AlertRaised) -> None:
        await show(tx, event)

    async def show(tx: Transaction, event: events.AlertRaised) -> None:
        # One that was acknowledged is open again: something worse was said.
        opened = {"state": str(AlertState.OPEN), "by": None, "at": None, "pages": event.page_number}
        said = {"level": event.level, "cause": event.cause, "raised_at": event.raised_at}
        if await read_models.version_of(tx, ALERTS, event.alert) is None:
            await read_models.keep(tx, ALERTS, {**_thing(event, "alert"), **said, **opened})
        else:
            await read_models.change(tx, ALERTS, event.alert, event.version, {**said, **opened})
        live_updates.after(tx, event.clinic, "alerts")

    @made.on(events.AlertOverdue)
    async def overdue(tx: Transaction, event: events.AlertOverdue) -> None:
        # It carries the alert as it stands: whoever missed that it was raised learns it from the next page.
        if await read_models.version_of(tx, ALERTS, event.alert) is None:
            await show(tx, event)
        await read_models.count_page(tx, event.alert, event.page_number)
        await read_models.note_next_page(tx, event.alert, event.next_page_at)
        live_updates.after(tx, event.clinic, "alerts")

    @made.on(events.AlertAcknowledged)
    async def acknowledged(tx: Transaction, event: events.AlertAcknowledged) -> None:
        values = {"state": str(AlertState.ACKNOWLEDGED), "by": event.by, "at": event.at}
        await read_models.change(tx, ALERTS, event.alert, event.version, values)
        # The owner's answer to the call may have been taken before this came, and says nothing of pages.
        await read_models.note_next_page(tx, event.alert, event.next_page_at)
        live_updates.after(tx, event.clinic, "alerts")

    @made.on(events.AlertClosed)
    async def closed(tx: Transaction, event: events.AlertClosed) -> None:
        values = {"state": str(AlertState.CLOSED), "by": event.by, "at": event.at, "disposition": event.disposition}
        await read_models.change(tx, ALERTS, event.alert, event.version, values)
        live_updates.after(tx, event.clinic, "alerts")


def _oncall(made: Handlers, live_updates: LiveUpdates) -> None:
    @made.on(events.OnCallChecked)
    async def checked(tx: Transaction, event: events.OnCallChecked) -> None:
        contacts = [contact.model_dump(mode="json") for contact in event.contacts]
        await read_models.keep_oncall(tx, event.clinic, event.version, contacts)
        live_updates.after(tx, event.clinic, "alerts")


def _proposals(made: Handlers, live_updates: LiveUpdates) -> None:
    @made.on(events.IntervalProposed)
    async def proposed(tx: Transaction, event: events.IntervalProposed) -> None:
        stands = ProposalState.OPEN if event.needs_decision else ProposalState.HELD
        state = {"state": str(stands), "proposed_at": tx.now}
        await read_models.keep(tx, PROPOSALS, {**event_rows.row_of(event, PROPOSALS, event.proposal), **state})
        live_updates.after(tx, event.clinic, "proposals")

    @made.on(events.IntervalDecided)
    async def decided(tx: Transaction, event: events.IntervalDecided) -> None:
        state = {"state": str(_DECIDED.get(event.decision, event.decision)), "decided_days": event.interval_days}
        said = {"reason": event.reason, "overruled": event.overruled}
        values = {**state, "by": event.by, "at": event.at, **said}
        await read_models.change(tx, PROPOSALS, event.proposal, event.version, values)
        live_updates.after(tx, event.clinic, "proposals")

    @made.on(events.IntervalTakenBack)
    async def taken_back(tx: Transaction, event: events.IntervalTakenBack) -> None:
        decided = {"by": event.decided_by, "at": event.decided_at, "decided_days": event.interval_days}
        was = {"decision": event.decision, **decided}
        said = {"taken_back_by": event.by, "taken_back_at": event.at, "taken_back_why": event.reason}
        values = {"state": str(ProposalState.TAKEN_BACK), **was, **said}
        await read_models.change(tx, PROPOSALS, event.proposal, event.version, values)
        live_updates.after(tx, event.clinic, "proposals")

    @made.on(events.IntervalExpired)
    async def expired(tx: Transaction, event: events.IntervalExpired) -> None:
        state = ProposalState.SUPERSEDED if event.overtaken else ProposalState.EXPIRED
        await read_models.change(tx, PROPOSALS, event.proposal, event.version, {"state": str(state)})
        live_updates.after(tx, event.clinic, "proposals")


def _messaging(made: Handlers, live_updates: LiveUpdates) -> None:
    def on(kind: type[events.messaging.MessageEvent], state: MessageState) -> None:
        @made.on(kind)
        async def became(tx: Transaction, event: events.messaging.MessageEvent) -> None:
            names = ("purpose", "channel", "occurrence", "about", "to", "reason", "error", "at", "why", "step")
            values = {name: getattr(event, name) for name in names}
            if isinstance(event, events.MessageSent | events.MessageFailed) and event.words is not None:
                values["words"] = event.words
            step = {
                "at": event.at.isoformat(),
                "what": _STORY[state],
                "detail": event.why or event.reason or event.error,
            }
            await read_models.keep_message(
                tx, {**_thing(event, "message"), **values, "state": str(state), "story": [step]}
            )
            live_updates.after(tx, event.clinic, "messages")

    @made.on(events.MessagePlanned)
    async def planned(tx: Transaction, event: events.MessagePlanned) -> None:
        names = ("purpose", "channel", "occurrence", "about", "to", "error")
        values = {name: getattr(event, name) for name in names}
        # It stands at the instant at which it goes out; where that is too late, a person should call.
        when = {"at": event.goes_at, "reason": None if event.in_time else COMES_LATE, "state": MessageState.PLANNED}
        step = {"at": event.at.isoformat(), "what": "planned", "detail": None}
        await read_models.keep_message(tx, {**_thing(event, "message"), **values, **when, "story": [step]})
        live_updates.after(tx, event.clinic, "messages")

    on(events.MessageSent, MessageState.SENT)
    on(events.MessageDelivered, MessageState.DELIVERED)
    on(events.MessageFailed, MessageState.FAILED)
    on(events.MessageWithheld, MessageState.WITHHELD)

    @made.on(events.MessagesRead)
    async def read(tx: Transaction, event: events.MessagesRead) -> None:
        what = "messages.read" if event.message is None else "message.read"
        by = f"staff:{event.staff}" if event.staff else f"token:{event.by}"
        patient = None if event.patient is None else PatientId(event.patient)
        await audit.note(tx, event.clinic, by, what, thing=event.message, patient=patient, at=event.at)

    @made.on(events.ContactChecked)
    async def checked(tx: Transaction, event: events.ContactChecked) -> None:
        names = ("clinic", "patient", "contact", "version", "works", "why", "words", "by", "at")
        await checks.keep(tx, {name: getattr(event, name) for name in names})
        live_updates.after(tx, event.clinic, "consents")

    @made.on(events.ContactDoubted)
    async def doubted(tx: Transaction, event: events.ContactDoubted) -> None:
        names = ("clinic", "patient", "contact", "version", "open", "wrote", "at")
        await doubts.keep(tx, {name: getattr(event, name) for name in names})
        live_updates.after(tx, event.clinic, "consents")

    @made.on(events.ConsentChanged)
    async def consent(tx: Transaction, event: events.ConsentChanged) -> None:
        said = {"version": event.version, "granted": event.granted, "how": event.how, "at": event.at}
        owner = {"clinic": event.clinic, "patient": event.patient, "contact": event.contact}
        for purpose in (*event.purposes, WHOLE):
            await read_models.keep_consent(tx, {**owner, **said, "purpose": purpose})
        live_updates.after(tx, event.clinic, "consents")


def _replies(made: Handlers, live_updates: LiveUpdates, keyring: Keyring) -> None:
    @made.on(events.ReplyReceived)
    async def reply(tx: Transaction, event: events.ReplyReceived) -> None:
        unread = _is_for_a_person(event, keyring) or await _void(tx, event)
        await read_models.keep(tx, REPLIES, {**_reply(event), "read_by": None if unread else SETTLED})
        live_updates.after(tx, event.clinic, "replies", "messages")

    @made.on(events.FindingChanged)
    async def finding(tx: Transaction, event: events.FindingChanged) -> None:
        said = {"version": event.version, "what": event.what, "at": event.at}
        await read_models.keep_finding(tx, {"clinic": event.clinic, "kind": event.kind, **said})
        live_updates.after(tx, event.clinic, "alerts")

    @made.on(events.UnknownNumberTexted)
    async def stranger(tx: Transaction, event: events.UnknownNumberTexted) -> None:
        await read_models.keep(tx, REPLIES, {**_reply(event), "sender": event.number, "read_by": None})
        live_updates.after(tx, event.clinic, "replies")


def _reply(event: events.ReplyReceived | events.UnknownNumberTexted) -> dict[str, object]:
    said = {"intent": event.intent, "text": event.text, "at": event.at, "flags": list(event.flags)}
    return {**_thing(event, "reply"), **said, "gravity": gravity(event.intent, event.flags)}


def _is_for_a_person(event: events.ReplyReceived, keyring: Keyring) -> bool:
    return needs_a_person(event.intent, keyring.open(event.text, context="reply"), event.flags)


async def _void(tx: Transaction, event: events.ReplyReceived) -> bool:
    """Tell whether a yes found no session, or one that it could not confirm."""
    if event.intent != "confirm":
        return False
    if event.session is None:
        return True
    held = await read_models.session_state(tx, event.session)
    return held is not None and yes_is_void(*held, known_version=event.session_version)


def _thing(event: events.Event, name: str) -> dict[str, object]:
    owner = {"clinic": event.clinic, "patient": getattr(event, "patient", None)}
    return {"id": getattr(event, name), **owner, "version": event.version}


def _checkin(event: events.assessments.CheckinEvent) -> dict[str, object]:
    said = {"occurrence": event.occurrence, "instruments": list(event.instruments), "asked_for": event.asked_for}
    return {**_thing(event, "checkin"), **said}
