import pytest

from services.assessments.model.alert import AlertKind, AlertLevel, concern_of_words, concerns_of
from services.assessments.model.disposition import flaw_of
from services.assessments.packs import Packs

PACKS = Packs.load()
CHECK = PACKS.get("post-session")
PHQ9 = PACKS.get("phq-9")


def test_blood_and_pain_after_a_session_are_one_concern_that_pages() -> None:
    (concern,) = concerns_of(CHECK, {"bladder-blood": 1, "bladder-pain": 1, "mood": 3})
    assert (concern.kind, concern.level) == (AlertKind.BLADDER, AlertLevel.ELEVATED)
    assert concern.cause == (
        "After your session: Does it hurt when you pee, or low in your belly: Yes; "
        "Have you seen blood in your pee: Yes."
    )


@pytest.mark.parametrize("item", ["bladder-pain", "bladder-urgency", "bladder-frequency"])
def test_any_other_yes_about_the_bladder_waits_on_today(item: str) -> None:
    (concern,) = concerns_of(CHECK, {item: 1})
    assert (concern.kind, concern.level) == (AlertKind.BLADDER, AlertLevel.TASK)


@pytest.mark.parametrize(("answers", "kind"), [({"mood": 0}, "mood"), ({"unreal": 1}, "dissociation")])
def test_mood_at_its_worst_and_feeling_unreal_reach_a_person(answers: dict[str, int], kind: str) -> None:
    assert [concern.kind for concern in concerns_of(CHECK, answers)] == [AlertKind(kind)]


def test_answers_of_no_concern_raise_nothing() -> None:
    fine = {item.id: 0 for item in CHECK.items} | {"mood": 1, "nausea": 1, "sleepy": 1}
    assert concerns_of(CHECK, fine) == []
    assert concerns_of(PHQ9, {"9": 0}) == []


@pytest.mark.parametrize(
    ("milder", "worse"),
    [({"bladder-pain": 1}, {"bladder-blood": 1}), ({"bladder-blood": 1}, {"bladder-blood": 1, "bladder-pain": 1})],
)
def test_a_worse_answer_weighs_more(milder: dict[str, int], worse: dict[str, int]) -> None:
    assert concerns_of(CHECK, worse)[0].severity > concerns_of(CHECK, milder)[0].severity


def test_item_9_weighs_more_with_each_step() -> None:
    weights = [concerns_of(PHQ9, {"9": value})[0].severity for value in (1, 2, 3)]
    assert weights == sorted(set(weights))


def test_the_words_of_a_text_stand_in_its_alert_shortened() -> None:
    concern = concern_of_words("I want to die. " + "x" * 1000, "Text message")
    assert concern is not None
    assert concern.level is AlertLevel.HIGH
    assert concern.cause.startswith('Text message: "I want to die. xxx')
    assert concern.cause.endswith(' ..."')
    assert concern_of_words("running late", "Text message") is None


@pytest.mark.parametrize(
    "note", [".", "", "ok", "done", "...........", "xx xxxxxxxxxx", "12345 67890", "handled", "ok ok ok"]
)
def test_a_note_that_says_nothing_closes_no_alert(note: str) -> None:
    flaw = flaw_of(note)
    assert flaw is not None
    assert "Say what was done" in flaw


@pytest.mark.parametrize("note", ["Spoke with the patient.", "Hablé con la paciente", "Called; safe plan agreed."])
def test_a_note_that_says_what_was_done_is_enough(note: str) -> None:
    assert flaw_of(note) is None
