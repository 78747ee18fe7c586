"""One call to a provider, and what it came to: traced, counted, and never thrown away."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from services.notifier.commands.call_outcomes import Call
from services.notifier.letters import Ready
from services.notifier.metrics import CALLS, ERRORS, SEGMENTS, Meaning, code_label, outcome_label
from services.notifier.model.call_outcomes import Accepted, CallOutcome, Later, Refused, Unknown
from services.notifier.model.purposes import Channel
from services.notifier.model.segments import segments
from services.notifier.ports import Port
from shared.telemetry import spans
from shared.telemetry.log import get_logger

log = get_logger(__name__)


class Caller:
    """Calls the provider of a letter's channel.

    Args:
        ports: by channel; messages of a channel without one fail with that reason on record.
    """

    def __init__(self, ports: Mapping[Channel, Port]) -> None:
        self._ports = ports

    async def call(self, ready: Ready) -> Call:
        """Call the provider once."""
        if not spans.recorded():
            outcome, traceparent = await self._send(ready), None
        else:
            with _span(ready) as span:
                outcome, traceparent = await self._send(ready), span.traceparent
                _note(span, outcome)
        _count(ready, outcome)
        if isinstance(outcome, Unknown):
            log.warning("attempt.unknown", attempt=str(ready.letter.attempt), reason=outcome.reason)
        return Call(ready.letter.message, ready.letter.attempt, ready.channel, outcome, traceparent)

    async def _send(self, ready: Ready) -> CallOutcome:
        port = self._ports.get(ready.channel)
        if port is None:
            return Refused("no provider")
        try:
            return await port.send(ready.letter)
        except Exception as error:
            # Whatever it was, the text may be out; an attempt that nobody closes would wait until this process ends.
            log.exception("call.failed", attempt=str(ready.letter.attempt))
            return Unknown(type(error).__name__)

    def close(self) -> None:
        """Close connections that nobody uses; the ports may be used again."""
        for port in self._ports.values():
            port.close()


def _span(ready: Ready) -> AbstractContextManager[spans.Span]:
    about = {
        "keepwell.service": "notifier",
        "keepwell.channel": str(ready.channel),
        "keepwell.purpose": ready.purpose,
        # By it `keepwell explain` tells the rest.
        "keepwell.message": str(ready.letter.message),
    }
    return spans.span(f"send {ready.channel}", spans.Kind.CLIENT, parent=ready.trace, attributes=about)


def _note(span: spans.Span, outcome: CallOutcome) -> None:
    span.note({"keepwell.outcome": outcome_label(type(outcome))})
    match outcome:
        case Refused(reason) | Later(_, reason) | Unknown(reason):
            span.fail(code_label(reason))


def _count(ready: Ready, outcome: CallOutcome) -> None:
    CALLS.labels(ready.channel, outcome_label(type(outcome))).inc()
    match outcome:
        case Accepted():
            if ready.channel == Channel.SMS:
                SEGMENTS.inc(segments(ready.letter.body))
        case Refused(code):
            ERRORS.labels(ready.channel, Meaning.REFUSED, code_label(code)).inc()
        case Later(_, reason):
            ERRORS.labels(ready.channel, Meaning.LATER, code_label(reason)).inc()
        case Unknown(reason):
            ERRORS.labels(ready.channel, Meaning.UNKNOWN, code_label(reason)).inc()
