import subprocess
import sys

import pytest

from keepwell.host.tracing import headers_of
from shared.settings import Settings, SettingsError
from shared.telemetry import spans, trace
from shared.telemetry.spans import Kind
from shared.telemetry.trace import SAMPLED, Parent
from tests.support.recorded import recorded

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


def parent_of(traceparent: str) -> Parent:
    found = Parent.read(traceparent)
    assert found is not None
    return found


def test_a_child_goes_on_with_the_callers_trace_and_mark_under_a_span_of_its_own() -> None:
    child = parent_of(trace.child(CALLER))
    assert (child.trace, child.flags) == (TRACE, 1)
    assert child.span != "b7ad6b7169203331"
    assert parent_of(trace.child(CALLER[:-2] + "00")).flags == 0


@pytest.mark.parametrize(
    "malformed",
    [None, "", "nonsense", CALLER + "-more", f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01"],
)
def test_what_is_no_traceparent_begins_a_trace(malformed: str | None) -> None:
    assert parent_of(trace.child(malformed)).trace not in {TRACE, "0" * 32}


def test_where_nothing_is_recorded_a_span_still_carries_the_trace_on_and_gives_it_back() -> None:
    trace.begin(None)
    before = trace.current()
    with spans.span("anything", Kind.CLIENT, parent=CALLER) as span:
        assert parent_of(span.traceparent).trace == TRACE
        assert trace.current() == span.traceparent
    assert trace.current() == before


def test_a_span_within_a_span_is_its_child_and_the_outer_one_goes_on_afterwards() -> None:
    with recorded() as kept, spans.span("outer", Kind.SERVER, parent=CALLER) as outer:
        with spans.span("inner", Kind.CLIENT, parent=trace.current(), links=[CALLER, "nonsense"]):
            pass
        assert trace.current() == outer.traceparent
    inner = kept.only("inner")
    assert inner.traceparent.trace == TRACE
    assert inner.parent == kept.only("outer").traceparent.span
    assert inner.links == (parent_of(CALLER),)
    assert kept.only("outer").parent == "b7ad6b7169203331"


def test_an_error_is_told_by_its_kind_and_never_in_its_words() -> None:
    with recorded() as kept:
        with pytest.raises(ValueError, match="Ana"), spans.span("handle", Kind.CONSUMER, parent=None):
            raise ValueError("Ana Rivera, +12025550160")
        failed = kept.only("handle")
    assert failed.error == "ValueError"
    assert failed.attributes == {"error.type": "ValueError"}


def test_a_trace_that_is_not_kept_is_marked_so_and_nothing_of_it_is_recorded_later() -> None:
    with recorded(share=0) as kept:
        with spans.span("request", Kind.SERVER, parent=None) as request:
            carried = request.traceparent
        with spans.span("later", Kind.CONSUMER, parent=carried):
            pass
        assert not parent_of(carried).flags & SAMPLED
        assert kept.all() == []
        with spans.span("asked for elsewhere", Kind.SERVER, parent=CALLER):
            pass
        assert [span.name for span in kept.all()] == ["asked for elsewhere"]


def test_a_process_without_a_collector_loads_nothing_of_the_sdk() -> None:
    wanted = "import sys, keepwell.host.process, keepwell.host.registry as r; [r.module(n) for n in r.SERVICES]"
    told = "print(sorted(m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))))"
    found = subprocess.run([sys.executable, "-c", f"{wanted}; {told}"], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_headers_for_the_collector_are_read_and_a_malformed_one_is_refused_without_showing_it() -> None:
    given = Settings(otlp_headers="x-key=se=cret, tenant = clinic")
    assert headers_of(given) == {"x-key": "se=cret", "tenant": "clinic"}
    assert headers_of(Settings()) == {}
    with pytest.raises(SettingsError, match="name=value") as refused:
        headers_of(Settings(otlp_headers="secret-without-a-name"))
    assert "secret-without" not in str(refused.value)
