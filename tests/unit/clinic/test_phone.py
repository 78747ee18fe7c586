from services.clinic.views.phone import answers_of, field_of
from tests.unit.clinic.samples import QUESTIONS

REQUIRED = {"q-1": "1", "q-2": "0", "q-3": "1"}


def test_what_may_be_left_out_is_left_out() -> None:
    assert answers_of(QUESTIONS, REQUIRED) == ((1, 0, 1), {})


def test_all_questions_are_sent_where_all_were_answered() -> None:
    assert answers_of(QUESTIONS, {**REQUIRED, "q-4": "0"}) == ((1, 0, 1, 0), {})


def test_a_question_without_one_of_its_own_choices_is_missing() -> None:
    given, missing = answers_of(QUESTIONS, {**REQUIRED, "q-2": "7"})
    assert given == ()
    assert list(missing) == ["q-2"]
    assert "Question 2" in missing["q-2"]


def test_the_owners_refusal_finds_its_question() -> None:
    assert field_of(QUESTIONS, "/answers/2", sent=3) == "q-3"
    assert field_of(QUESTIONS, "/answers/3", sent=4) == "q-4"
    assert field_of(QUESTIONS, "/answers", sent=4) == "q-1"
