"""The provider's status reports: every one is kept; the message only moves forward."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from services.notifier.commands.addresses import mark_bad
from services.notifier.commands.call_outcomes import accepted
from services.notifier.commands.changes import Change, apply
from services.notifier.commands.stop_and_start import opt_out
from services.notifier.metrics import CALLBACKS as COUNTED
from services.notifier.metrics import ERRORS, OTHER, Meaning, code_label
from services.notifier.model.call_outcomes import OPTED_OUT, Found
from services.notifier.model.causes import is_dead
from services.notifier.model.message import Message
from services.notifier.model.states import PROVIDER_STATUS, State
from services.notifier.store import attempts
from services.notifier.store import reports as store
from services.notifier.store.attempts import Attempted
from services.notifier.store.messages import lock
from services.notifier.store.reports import KeptReport
from shared.database import Transaction
from shared.telemetry import spans


@dataclass(frozen=True, eq=False)
class Report:
    """A status report.

    Attributes:
        message: our id, out of the address that the report came to.
        attempt: the same.
        trace: traceparent of the request that brought it, which is not the message's.
    """

    sid: str
    status: str
    error: str | None
    message: UUID | None
    attempt: UUID | None
    fields: Mapping[str, str]
    trace: str | None = None


async def receive(tx: Transaction, reports: Sequence[Report]) -> None:
    """Keep reports, in the order they came, and move their messages forward where that is a step forward."""
    spoken_of = await _attempts(tx, reports)
    await store.keep(tx, [_kept(report, spoken_of.get(report)) for report in reports])
    for report in reports:
        COUNTED.labels(report.status if report.status in PROVIDER_STATUS else OTHER).inc()
    by_message: dict[UUID, list[Report]] = defaultdict(list)
    for report, attempt in spoken_of.items():
        by_message[attempt.message].append(report)
    messages = await lock(tx, by_message)
    with _heard(messages, by_message) as traces:
        taken = await _taken(tx, messages, by_message, traces)
        await apply(tx, taken)
    for step in taken:
        # A report that comes twice moves nothing the second time, and counts once.
        if step.after.state in {State.UNDELIVERED, State.FAILED}:
            ERRORS.labels(step.before.channel, Meaning.UNDELIVERED, code_label(step.after.error or "")).inc()
    unsettled = {attempt.id: report.sid for report, attempt in spoken_of.items() if attempt.sid is None}
    for key, sid in unsettled.items():
        await attempts.settle_by_report(tx, key, sid)
    for report, attempt in spoken_of.items():
        to = messages[attempt.message].to_fingerprint
        if report.error == OPTED_OUT and to is not None:
            await opt_out(tx, to, how=f"provider error {OPTED_OUT}")
    for step in taken:
        if step.after.state in {State.UNDELIVERED, State.FAILED} and is_dead(step.after.error):
            await mark_bad(tx, messages[step.before.id].to_fingerprint, why=str(step.after.error))


async def _taken(
    tx: Transaction,
    messages: Mapping[UUID, Message],
    by_message: Mapping[UUID, Sequence[Report]],
    traces: Mapping[UUID, str],
) -> list[Change]:
    """Return the steps forward that reports mean."""
    taken: list[Change] = []
    for message, told in by_message.items():
        step = await accepted(tx, messages[message], list(map(_word, told)))
        if step is not None:
            taken.append(replace(step, traceparent=traces.get(message)))
    return taken


@contextmanager
def _heard(
    messages: Mapping[UUID, Message], by_message: Mapping[UUID, Sequence[Report]]
) -> Iterator[Mapping[UUID, str]]:
    """Record each report in the trace of its message, linked to the request that brought it.

    The provider does not carry a trace: it is found again by the attempt that the report speaks of.
    """
    traces: dict[UUID, str] = {}
    with ExitStack() as stack:
        if spans.recorded():
            for message, told in by_message.items():
                for report in told:
                    traces[message] = stack.enter_context(_span(messages[message], report)).traceparent
        yield traces


def _span(message: Message, report: Report) -> AbstractContextManager[spans.Span]:
    status = report.status if report.status in PROVIDER_STATUS else OTHER
    about = {
        "keepwell.service": "notifier",
        "keepwell.channel": message.channel,
        "keepwell.purpose": message.purpose,
        "keepwell.message": str(message.id),
        "keepwell.status": status,
    }
    if report.error:
        about["keepwell.code"] = code_label(report.error)
    links = [report.trace] if report.trace else []
    return spans.span(f"report {status}", spans.Kind.CONSUMER, parent=message.trace, links=links, attributes=about)


def _word(report: Report) -> Found:
    return Found(report.sid, report.status, report.error)


def _kept(report: Report, attempt: Attempted | None) -> KeptReport:
    message = attempt.message if attempt is not None else None
    return KeptReport(message, report.sid, report.status, report.error, report.fields)


async def _attempts(tx: Transaction, reports: Sequence[Report]) -> dict[Report, Attempted]:
    """Return the attempt that each report speaks of: the one that has the provider's id, else the one it names."""
    named = [report.attempt for report in reports if report.attempt is not None]
    known = await attempts.spoken_of(tx, named, [report.sid for report in reports])
    by_id = {(each.id, each.message): each for each in known}
    by_sid = {each.sid: each for each in known if each.sid is not None}
    # Where two messages of the same words went to one number, the look that saw a text may have taken it for the other
    # one. It stays that one's, or both would count as sent by a single text.
    found = {report: by_sid.get(report.sid) or _named_by(report, by_id) for report in reports}
    return {report: attempt for report, attempt in found.items() if attempt is not None}


def _named_by(report: Report, by_id: Mapping[tuple[UUID, UUID], Attempted]) -> Attempted | None:
    if report.attempt is None or report.message is None:
        return None
    return by_id.get((report.attempt, report.message))
