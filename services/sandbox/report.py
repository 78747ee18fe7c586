"""The ledger as programs read it: messages, texts from handsets, mails, refusals, totals."""

from collections import Counter
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.entries import CallbackSent, CallRefused, MailRefused, Origin, Source, TextReceived
from services.sandbox.ledger import Ledger
from services.sandbox.model.profiles import Fault, Profile
from services.sandbox.network import Network
from services.sandbox.readable_mail import ReadableMail, readable_mail


class View(BaseModel):
    """What a program gets."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class MessageView(View):
    """A text that the network took for a handset."""

    sid: str
    to: str
    sender: str = Field(alias="from")
    service: str | None
    body: str
    at: datetime
    origin: Origin
    attempt: int
    fault: Fault | None
    status: str
    error: int | None
    shown_at: datetime | None
    status_callback: str | None
    callbacks_due: int
    callbacks: list[CallbackSent]


class InboundView(View):
    """A text that a handset sent; `answer` is the HTTP status that the webhook answered."""

    sid: str
    sender: str = Field(alias="from")
    to: str
    body: str
    at: datetime
    source: Source
    answer: int | None
    tries: int


class MailView(View):
    """A mail that the mailbox took."""

    id: str
    at: datetime
    sender: str = Field(alias="from")
    to: list[str]
    subject: str
    text: str
    calendar: str | None
    bytes: int


class LedgerView(View):
    """The whole ledger. `counts` are totals, whatever part was asked for."""

    now: datetime
    born: datetime
    profile: Profile
    seed: int
    counts: dict[str, int]
    messages: list[MessageView]
    inbound: list[InboundView]
    mails: list[MailView]
    refused: list[CallRefused]
    mails_refused: list[MailRefused]
    blocked: list[tuple[str, str]]


def counts_of(ledger: Ledger) -> dict[str, int]:
    """Return the totals of a ledger by name."""
    counts = Counter(f"texts_{text.origin}" for text in ledger.texts.values())
    counts.update(f"refused_{call.fault or call.code}" for call in ledger.refused)
    counts.update(f"fault_{text.fault}" for text in ledger.texts.values() if text.fault)
    callbacks = [callback for sent in ledger.callbacks.values() for callback in sent.values()]
    counts.update(
        inbound=len(ledger.inbound),
        mails=len(ledger.mails),
        mails_refused=len(ledger.mails_refused),
        callbacks=len(callbacks),
        callbacks_forged=sum(callback.forged for callback in callbacks),
        callbacks_given_up=sum(callback.answer is None or callback.answer >= 500 for callback in callbacks),  # noqa: PLR2004
        acts_planned=len(ledger.acts),
        acts_done=len(ledger.acts_done),
    )
    counts.update(f"act {done.outcome}" for done in ledger.acts_done.values())
    return dict(sorted(counts.items()))


def ledger_view(ledger: Ledger, network: Network, now: datetime, after: int = 0) -> LedgerView:
    """Return the ledger; `after` leaves out as many of the oldest messages."""
    return LedgerView(
        now=now,
        born=ledger.born,
        profile=ledger.profile,
        seed=ledger.seed,
        counts=counts_of(ledger),
        messages=_messages(ledger, network)[after:],
        inbound=[inbound_view(ledger, text) for text in ledger.inbound.values()],
        mails=[_mail(readable_mail(mail)) for mail in ledger.mails.values()],
        refused=ledger.refused,
        mails_refused=ledger.mails_refused,
        blocked=sorted(ledger.blocked),
    )


def _messages(ledger: Ledger, network: Network) -> list[MessageView]:
    return [
        MessageView(
            sid=text.sid,
            to=text.to,
            sender=text.sender,
            service=text.service,
            body=text.body,
            at=text.at,
            origin=text.origin,
            attempt=text.attempt,
            fault=text.fault,
            status=network.stage(text).status,
            error=network.stage(text).error,
            shown_at=network.shown_at(text),
            status_callback=text.callback,
            callbacks_due=len(text.script.notices) if text.callback else 0,
            callbacks=[sent for _, sent in sorted(ledger.callbacks.get(text.sid, {}).items())],
        )
        for text in ledger.texts.values()
    ]


def inbound_view(ledger: Ledger, text: TextReceived) -> InboundView:
    """Return a text that a handset sent, with what the webhook answered."""
    done = ledger.handed_over.get(text.sid)
    return InboundView(
        sid=text.sid,
        sender=text.number,
        to=text.to,
        body=text.body,
        at=text.at,
        source=text.source,
        answer=done.answer if done else None,
        tries=done.tries if done else 0,
    )


def _mail(letter: ReadableMail) -> MailView:
    return MailView(
        id=letter.id,
        at=letter.at,
        sender=letter.sender,
        to=list(letter.recipients),
        subject=letter.subject,
        text=letter.text,
        calendar=next((part.text for part in letter.parts if part.kind == "text/calendar"), None),
        bytes=letter.size,
    )
