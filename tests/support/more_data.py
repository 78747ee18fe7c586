"""`keepwell` with a protocol, an instrument and an intent that no line of the product names: `... more_data up`.

Only data is added: a protocol in the catalogue, a pack in a folder, and one more word for what a text asks for.
"""

import hashlib
import shutil
import sys
import tempfile
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from keepwell.__main__ import main
from services.assessments import packs
from services.notifier.model import answering
from services.notifier.model.answering import Effect, Sender
from services.notifier.model.inbound import Intent, TextMeaning
from services.scheduler.model import catalogue
from services.scheduler.model.catalogue import IV_KETAMINE_2
from services.scheduler.model.protocols import Protocol, Series
from tests.faults.armed import plant

COMMAND: Final = (sys.executable, "-m", "tests.support.more_data")
PROTOCOL: Final = "im-ketamine-three-phases"
INSTRUMENT: Final = "five-good-days"
REMINDER_DAYS: Final = (5, 3, 2, 1)


class MoreIntents(StrEnum):
    """What a text asks for that the product has no word for."""

    ASKS_THE_WAY = "asks-the-way"


_PACK = f"""id = "{INSTRUMENT}"
name = "Five good days"
version = 1
validated = false
recall_days = 7
first_day = 1
words = false
[chart]
of = "days"
better = "higher"
[scales.days]
values = [0, 1, 2, 3, 4, 5]
[[sections]]
id = "days"
[[sections.items]]
id = "days"
scale = "days"
"""
_WORDS = """title = "{title}"
notice = "{title}"
[stems]
days = ""
[scales]
days = ["0", "1", "2", "3", "4", "5"]
[items]
days = "{title}"
"""


def protocol() -> Protocol:
    """Return a protocol of three phases, with a ladder of its own and four reminders."""
    source = IV_KETAMINE_2.series[0].provenance
    return replace(
        IV_KETAMINE_2,
        id=PROTOCOL,
        version=1,
        name="Three phases",
        route="intramuscular",
        series=(
            Series("induction", (0, 6), replace(source, id="three-phases-1")),
            Series("consolidation", (0, 7), replace(source, id="three-phases-2"), after_days=6),
        ),
        maintenance=replace(IV_KETAMINE_2.maintenance, interval_days=30, ladder=(10, 20, 30, 45), opt_in_above=45),
        cadence=replace(IV_KETAMINE_2.cadence, reminder_days=REMINDER_DAYS),
    )


def add_instrument(folder: Path) -> None:
    """Write a pack into a folder, beside those that ship."""
    shutil.copytree(packs.FOLDER, folder, dirs_exist_ok=True)
    place = folder / INSTRUMENT / "1"
    place.mkdir(parents=True)
    written = {"pack.toml": _PACK, "en.toml": _WORDS.format(title="Good days this week")}
    written["es.toml"] = _WORDS.format(title="Días buenos esta semana")
    for name, text in written.items():
        (place / name).write_text(text, encoding="utf-8")
    pins = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in written.items()]
    (place / packs.PINS).write_text("".join(pins), encoding="ascii")


def add(folder: Path) -> None:
    """Put all of it where the process finds it."""
    plant(catalogue, "PROTOCOLS", (*catalogue.PROTOCOLS, protocol()))
    add_instrument(folder)
    plant(packs.Packs, "load", partial(packs.Packs.load, folder))
    word: Any = MoreIntents.ASKS_THE_WAY
    by_intent = answering._by_intent

    def understood(meaning: TextMeaning, sender: Sender) -> Effect:
        effect = by_intent(meaning, sender)
        asks = effect.intent == Intent.OTHER and "parking" in meaning.words
        return replace(effect, intent=word) if asks else effect

    plant(answering, "_by_intent", understood)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="kwm", dir="/tmp") as place:
        add(Path(place))
        main()
