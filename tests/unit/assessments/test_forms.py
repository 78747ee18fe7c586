from services.assessments.forms import choices, form_of
from services.assessments.packs import Packs

PACKS = Packs.load()
PHQ9 = PACKS.get("phq-9")
CHECK = PACKS.get("post-session")


def names(form: object) -> list[str]:
    return [item.id for section in form.sections for item in section.items]  # type: ignore[attr-defined]


def test_a_sent_form_gives_the_answers_that_are_choices_and_nothing_else() -> None:
    posted = {"q-1": "3", "q-2": "4", "q-3": "", "q-4": "yes", "q-10": "1", "instrument": "phq-9", "q-9": "0"}
    assert choices(PHQ9, posted) == {"1": 3, "9": 0}


def test_a_number_with_another_spelling_is_no_choice() -> None:
    assert choices(PHQ9, {"q-1": "03", "q-2": " 1", "q-3": "1.0", "q-4": "\u0661"}) == {}


def test_a_fresh_form_shows_every_question_unanswered() -> None:
    form = form_of(PHQ9, "en", ("phq-9",), saved={})
    assert names(form) == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "difficulty"]
    assert not form.resumed
    assert not any(option.chosen for section in form.sections for item in section.items for option in item.options)


def test_a_reopened_form_shows_what_is_left_and_no_earlier_answer() -> None:
    form = form_of(PHQ9, "en", ("phq-9",), saved={"1": 3, "9": 2})
    assert names(form) == ["2", "3", "4", "5", "6", "7", "8", "difficulty"]
    assert form.resumed


def test_a_form_that_was_just_sent_keeps_its_own_choices_and_marks_what_is_missing() -> None:
    form = form_of(PHQ9, "es", ("phq-9",), saved={"1": 3, "2": 1, "9": 0}, posted={"1": 3, "2": 1}, absent=("3",))
    assert names(form)[:3] == ["1", "2", "3"]
    assert "9" not in names(form)
    assert [item.id for item in form.errors] == ["3"]
    assert form.errors[0].notes == ("error-3",)


def test_the_part_says_which_of_how_many() -> None:
    part = form_of(PHQ9, "en", ("post-session", "phq-9"), saved={}).part
    assert (part.number, part.count) == (2, 2)


def test_choices_lie_by_their_kind() -> None:
    form = form_of(CHECK, "en", ("post-session",), saved={})
    shapes = {item.id: item.shape for section in form.sections for item in section.items}
    assert shapes["mood"] == "ladder"
    assert shapes["nausea"] == "yes"
    assert form_of(PHQ9, "en", ("phq-9",), saved={}).sections[0].items[0].shape == "choice"


def test_an_optional_question_says_so_and_is_never_missing() -> None:
    form = form_of(PHQ9, "en", ("phq-9",), saved={str(number): 0 for number in range(1, 10)})
    (item,) = form.sections[0].items
    assert (item.id, item.required, item.notes) == ("difficulty", False, ("note-difficulty",))
