from dataclasses import replace

from services.clinic.views.phone import answers_of, field_of
from tests.unit.clinic.samples import QUESTIONS

REQUIRED = {"q-1": "1", "q-2": "0", "q-3": "1"}


def test_what_may_be_left_out_is_left_out() -> None:
    assert answers_of(QUESTIONS, REQUIRED) == ({"answers": [1, 0, 1]}, {})


def test_a_question_that_does_not_count_never_stands_in_the_list_of_those_that_do() -> None:
    assert answers_of(QUESTIONS, {**REQUIRED, "q-4": "0"}) == ({"answers": [1, 0, 1], "4": 0}, {})


def test_own_words_go_where_there_is_a_field_for_them() -> None:
    typed = {**REQUIRED, "words": "  My ears ring. "}
    assert answers_of(QUESTIONS, typed)[0] == {"answers": [1, 0, 1]}
    assert answers_of(replace(QUESTIONS, words="Anything?"), typed)[0]["words"] == "My ears ring."


def test_a_question_without_one_of_its_own_choices_is_missing() -> None:
    given, missing = answers_of(QUESTIONS, {**REQUIRED, "q-2": "7"})
    assert given == {}
    assert list(missing) == ["q-2"]
    assert "Question 2" in missing["q-2"]


def test_the_owners_refusal_finds_its_question() -> None:
    assert field_of(QUESTIONS, "/answers/2") == "q-3"
    assert field_of(QUESTIONS, "/4") == "q-4"
    assert field_of(QUESTIONS, "/words") == "words"
    assert field_of(QUESTIONS, "/answers") == "q-1"
