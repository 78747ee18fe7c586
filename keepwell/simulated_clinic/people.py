"""Made-up people: who they are, how they are reached and what they allow, by seed and index alone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.sandbox.model.chance import happens, pick, roll
from shared.languages import Language

HERE: Final = "America/New_York"
"""The clinic's zone when nothing else is set; most patients live in it."""
ELSEWHERE: Final = ("America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles")
PURPOSES: Final = ("reminders", "checkins", "booking")

_GIVEN: Final = {
    Language.EN: (
        "Ada", "Ben", "Carla", "Dan", "Edith", "Frank", "Grace", "Hank", "Iris", "Joel", "Kate", "Liam", "Maya",
        "Noah", "Olive", "Paul", "Quinn", "Rose", "Sam", "Tess", "Uma", "Vera", "Walt", "Zoe",
    ),
    Language.ES: (
        "Alma", "Bruno", "Camila", "Diego", "Elena", "Felipe", "Gloria", "Hugo", "Inés", "Javier", "Lucía", "Mateo",
        "Nuria", "Óscar", "Paloma", "Rafael", "Sofía", "Tomás",
    ),
}  # fmt: skip
_FAMILY: Final = {
    Language.EN: (
        "Abbott", "Barker", "Clark", "Dalton", "Ellis", "Foster", "Greene", "Hayes", "Irwin", "Jensen", "Keller",
        "Lowell", "Mercer", "Norton", "Osborn", "Parker", "Reyes", "Sutton", "Turner", "Walsh",
    ),
    Language.ES: (
        "Aguilar", "Benítez", "Castro", "Delgado", "Espinoza", "Fuentes", "Gallego", "Herrera", "Ibáñez", "Jiménez",
        "Lozano", "Márquez", "Navarro", "Ortega", "Peña", "Quintana",
    ),
}  # fmt: skip
_AREAS: Final = (
    212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260,
    262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319,
    320, 321, 323, 325,
)  # fmt: skip
_LINES: Final = 100
"""Each area keeps the lines 555-0100 to 555-0199 for fiction."""
MOST: Final = len(_AREAS) * _LINES


@dataclass(frozen=True)
class Person:
    """A made-up patient.

    Attributes:
        index: counts from 0; everything else follows from it and the seed.
        external_id: how the clinic's own records call them; the desk knows its people again by it.
        number: E.164, of the numbers that the numbering plan keeps for fiction.
        email: an address of a domain that does not exist, or None.
        by_text: purposes that may use the number.
        by_email: purposes that may use the address.
    """

    index: int
    external_id: str
    given_name: str
    family_name: str
    birth_date: date
    language: Language
    zone: str
    number: str
    email: str | None
    by_text: tuple[str, ...]
    by_email: tuple[str, ...]

    def enrolment(self, now: datetime) -> dict[str, object]:
        """Return the body of the order that enrols them, with what they allow as from `now`."""
        contacts = [("sms", self.number, self.by_text), ("email", self.email, self.by_email)]
        return {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "birth_date": self.birth_date.isoformat(),
            "zone": self.zone,
            "language": self.language.value,
            "external_id": self.external_id,
            "contacts": [
                {
                    "kind": kind,
                    "value": value,
                    "consents": [{"purpose": purpose, "how": "form", "at": now.isoformat()} for purpose in purposes],
                }
                for kind, value, purposes in contacts
                if value is not None
            ],
        }


def person(seed: int, index: int, *, here: str = HERE, prefix: str = "made-up") -> Person:
    """Return the made-up patient of an index, below `MOST`.

    Args:
        seed: of the run.
        index: of the patient.
        here: the clinic's zone.
        prefix: begins the record's number.
    """
    who = (seed, "person", index)
    language = Language.ES if happens(0.35, *who, "language") else Language.EN
    given, family = pick(_GIVEN[language], *who, "given"), pick(_FAMILY[language], *who, "family")
    email = f"patient.{index}@mailbox.example" if happens(0.5, *who, "email") else None
    by_text, by_email = _allowed(who, with_email=email is not None)
    return Person(
        index=index,
        external_id=f"{prefix}-{index:04}",
        given_name=given,
        family_name=family,
        birth_date=date(1950, 1, 1) + timedelta(days=int(roll(*who, "birth") * 50 * 365)),
        language=language,
        zone=pick(ELSEWHERE, *who, "zone") if happens(0.35, *who, "elsewhere") else here,
        number=f"+1{_AREAS[index // _LINES]}555{_LINES + index % _LINES:04}",
        email=email,
        by_text=by_text,
        by_email=by_email,
    )


def _allowed(who: tuple[int, str, int], *, with_email: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what number and address may be used for; some give only one of them, and a few allow nothing."""
    if happens(0.03, *who, "allows nothing"):
        return (), ()
    by_text = tuple(one for one in PURPOSES if happens(0.93, *who, "by text", one))
    by_email = tuple(one for one in PURPOSES if with_email and happens(0.8, *who, "by e-mail", one))
    if with_email and happens(0.1, *who, "no texts"):
        by_text = ()
    return by_text, by_email
