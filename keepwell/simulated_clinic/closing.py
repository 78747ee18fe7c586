"""What the made-up clinicians write when they close an alert: by what it was about, in a handful of ways."""

from collections.abc import Mapping
from typing import Final

from services.sandbox.model.chance import pick

_ANY: Final = (
    "Called the patient: doing better, knows whom to call at night. Looked at it again with the team.",
    "Spoke with the patient by phone, nothing acute. It is a topic of the next visit.",
)
_NOTES: Final[Mapping[str, tuple[str, ...]]] = {
    "item-9": (
        "Called at once: passive thoughts, no plan and no means. Safety plan gone through, sister stays tonight.",
        "Called the patient: thoughts come in the evening, no intent. Crisis line saved in the phone, call tomorrow.",
        "Reached on the second try: safe at home with family, agreed to come two days earlier.",
        "Spoke with the patient and, with consent, with the partner: no plan, medicines are locked away.",
    ),
    "crisis-words": (
        "Called back within minutes: upset after a quarrel, not suicidal. Partner is there, safety plan read aloud.",
        "Called the patient: the words were meant as a figure of speech. Asked about suicide directly, denied.",
        "Stayed on the phone until the sister came. Crisis line explained, seen by us tomorrow.",
    ),
    "bladder": (
        "Called about what was answered: no fever. Urine test arranged with the family doctor, result before dosing.",
        "Asked the patient how long and how bad. Urinalysis ordered, symptom diary begun, looked at before dosing.",
        "Spoke with the patient. Dosing waits for the urologist, whose appointment is confirmed.",
    ),
    "blood-pressure": (
        "Measured again an hour later: back to the patient's usual. Watched before dosing at the next visit.",
        "Called: no headache, no chest pain. Family doctor looks at the tablets this week.",
    ),
    "dissociation": (
        "Called: floating feeling was gone by the evening, not frightening. Stays longer after the next session.",
        "Spoke with the patient: it passed within two hours and did not come back. No driving that day, as agreed.",
    ),
    "mood": (
        "Called the patient: a bad day after little sleep, no thoughts of suicide. Check-in again on Friday.",
        "Called: feels low since the weekend. Visit brought forward, partner knows.",
        "Reached in the afternoon: mood is lifting, went for a walk. Asked about suicide, denied.",
    ),
}


def note(alert: str, kind: str) -> str:
    """Return what is noted of an alert of a kind; the same alert always gets the same words."""
    return pick(_NOTES.get(kind, _ANY), "closing", alert)
