"""The clinical rules with their provenance: where each comes from, and how much it may be trusted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.assessments.model.instrument import Instrument
from services.assessments.model.interval.interval_rule import RULE, RULE_VERSION
from shared.evidence import Grade


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        text: what it does, for the clinician who signs it: one thing a line.
        source_url: where it comes from, or what it is modelled on.
        verified_on: when the source was last read.
        applies_to: what it works on.
        fails_safe: it runs before it is signed, because without it a person in danger would go unseen. Only rules that
            alert somebody may; never one that proposes a treatment.
        called: what the screens call it, where its id does not say that.
    """

    id: str
    version: int
    text: str
    source_url: str
    grade: Grade
    verified_on: date
    applies_to: str
    fails_safe: bool = False
    called: str = ""

    @property
    def name(self) -> str:
        """What the screens call it."""
        words = self.called or self.id.replace("-", " ")
        return words[:1].upper() + words[1:]

    @property
    def points(self) -> tuple[str, ...]:
        """What it does, one thing each."""
        return tuple(self.text.splitlines())

    @property
    def needs_signature(self) -> bool:
        """An engineering default waits for the clinic's sign-off."""
        return self.grade is Grade.ENGINEERING_DEFAULT

    def runs(self, *, signed: bool) -> bool:
        """Say whether the rule is in force."""
        return signed or self.fails_safe or not self.needs_signature


BEYOND_28: Final = "interval-beyond-28-days"
_READ_ON: Final = date(2026, 11, 21)

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        id=RULE,
        version=RULE_VERSION,
        called="PHQ-9 interval rule",
        text=(
            "It is asked after each PHQ-9 in maintenance, and looks back to the last session, two weeks at least.\n"
            "Shorten by one step: the last two scores are at 10 or above and 5 above the patient's best so far, or a "
            "rise of 6 is confirmed within 72 hours.\n"
            "Lengthen by one step: the last two scores stay at 9 or below, or within 4 of the best, up to the last "
            "week, twice in a row, and the interval was not changed meanwhile.\n"
            "A step that had to be shortened is not tried again for 12 cycles.\n"
            "Hold, and ask for a look: before the end of induction, without a response on record, after two "
            "shortenings in 60 days, after a rise within a week of a session, where the shortest step is too long, and "
            "while a safety alert is open.\n"
            "Hold: fewer than two scores or fewer than half of those asked for, a shock or a change of dose or "
            "medication, scores from before the last change of the interval; and in all other cases.\n"
            "Its form follows a published rule that spaces ECT sessions by symptom scores (called STABLE); the "
            "thresholds are Keepwell's own."
        ),
        source_url="https://pmc.ncbi.nlm.nih.gov/articles/PMC7130448/table/T1",
        grade=Grade.ENGINEERING_DEFAULT,
        verified_on=_READ_ON,
        applies_to="interval proposals",
    ),
    Rule(
        id=BEYOND_28,
        version=1,
        text=(
            "Let the interval rule propose 42, 56 and 84 days. Maintenance as rare as once in 12 weeks is "
            "reported; there is no controlled long-term study."
        ),
        source_url="https://explorer.cuni.cz/publication/640754?lang=en&query=language+of+mathematics",
        grade=Grade.ENGINEERING_DEFAULT,
        verified_on=_READ_ON,
        applies_to="interval proposals above 28 days",
    ),
    Rule(
        id="phq-9-response",
        version=1,
        text="Response is half of the first PHQ-9 or less; remission is below 5.",
        source_url="https://stanfordhealthcare.org/publications/837/837264.html",
        grade=Grade.OBSERVATIONAL,
        verified_on=_READ_ON,
        applies_to="the guard that asks for a documented response",
        called="PHQ-9 response",
    ),
    Rule(
        id="phq-9-item-9-alert",
        version=1,
        text=(
            "Item 9 above zero raises a safety alert at once, shows the clinic's crisis text, pages the on-call "
            "person and blocks every longer interval until a clinician closes it. Zero is no clearance."
        ),
        source_url="https://ps.psychiatryonline.org/doi/10.1176/appi.ps.201200587",
        grade=Grade.OBSERVATIONAL,
        verified_on=_READ_ON,
        applies_to="safety alerts",
        fails_safe=True,
        called="PHQ-9 item 9 alert",
    ),
    Rule(
        id="alert-urgency",
        version=2,
        text=(
            "An answer of 1 to item 9 is elevated, of 2 or 3 high; blood after a session and mood at its lowest are "
            "elevated; other yeses about the bladder, and feeling unreal, are tasks that wait on Today. The people on "
            "call are paged every 15 minutes (or as often as your operator set) until somebody acknowledges, without a "
            "last time, and then every 60 minutes until a clinician closes the alert; tasks page nobody. A worse "
            "answer opens it again, or opens a new one after the first was closed. No published deadline was found. "
            "It runs unsigned, because an alert that waits for a signature is worse than one by default."
        ),
        source_url="https://ps.psychiatryonline.org/doi/10.1176/appi.ps.201200587",
        grade=Grade.ENGINEERING_DEFAULT,
        verified_on=_READ_ON,
        applies_to="safety alerts",
        fails_safe=True,
    ),
    Rule(
        id="crisis-words",
        version=1,
        text=(
            "A text or a free answer, in English or Spanish, that speaks of suicide, self-harm, an overdose, a "
            "goodbye, hopelessness, danger or an emergency is answered with the clinic's crisis text at once and "
            "pages the person on call; plain words of suicide are high, the others elevated. The list errs towards "
            "too many and misses what it does not know; it is no assessment, and the automatic answer replaces no "
            "person. The words stand in shared/crisis. It runs unsigned, because without it such a text would lie "
            "among the others."
        ),
        source_url="https://mental.jmir.org/2024/1/e58409",
        grade=Grade.ENGINEERING_DEFAULT,
        verified_on=_READ_ON,
        applies_to="safety alerts",
        fails_safe=True,
    ),
    Rule(
        id="bladder-questions",
        version=1,
        text=(
            "After each session four plain questions about the bladder (pain, urgency, frequency, blood); any yes"
            " is a flag."
        ),
        source_url=(
            "https://www.jnjmedicalconnect.com/products/spravato/medical-content/"
            "adverse-event-of-spravato-urinary-disorders"
        ),
        grade=Grade.LABEL,
        verified_on=_READ_ON,
        applies_to="the check after a session",
    ),
)


def find(rule_id: str) -> Rule | None:
    return next((rule for rule in RULES if rule.id == rule_id), None)


def with_bands(instruments: Iterable[Instrument]) -> tuple[Rule, ...]:
    """Return every rule, and the bands of each instrument that has some as a rule, in the figures of its pack."""
    return (*RULES, *(rule for one in instruments for rule in _bands(one)))


def _bands(instrument: Instrument) -> list[Rule]:
    source = instrument.band_source
    if source is None:
        return []
    said = ", ".join(f"{band.lowest}-{band.highest} {band.name}" for band in instrument.bands)
    return [
        Rule(
            id=f"{instrument.id}-bands",
            version=instrument.version,
            text=f"{instrument.name}: {said}.",
            source_url=source.url,
            grade=source.grade,
            verified_on=source.read_on,
            applies_to=f"{instrument.name} scores",
            called=f"{instrument.name} bands",
        )
    ]
