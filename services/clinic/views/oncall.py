"""Whether an alert would reach anybody, said before one is raised."""

from collections.abc import Sequence
from typing import Final

from services.clinic.model.reads import OnCall
from services.clinic.views.components import Notice, Tone

_TROUBLES: Final = {
    "stopped": "said STOP to texts; a START from it brings pages back",
    "21610": "said STOP to texts; a START from it brings pages back",
    "off": "goes by a way that is not set up",
    "30034": "is refused by the carriers, since your sender is not registered",
}


def oncall_notices(oncall: Sequence[OnCall]) -> tuple[Notice, ...]:
    """Return what stands on every page while somebody on call, or nobody, can be reached."""
    lost = [each for each in oncall if each.trouble is not None]
    if not lost:
        return ()
    said = "; ".join(f"{each.to} {_say(each.trouble or '')}" for each in lost)
    if len(lost) == len(oncall):
        return (Notice(f"Alerts reach nobody on call: {said}. Set another contact in Settings now.", Tone.DANGER),)
    return (Notice(f"Alerts do not reach everybody on call: {said}.", Tone.WARN),)


def _say(trouble: str) -> str:
    return _TROUBLES.get(trouble, f"did not get the last page ({trouble})")
