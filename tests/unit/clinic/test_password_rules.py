import pytest

from services.clinic.model.flaws import RefusedError
from services.clinic.model.password_rules import SHORTEST_PASSWORD, one_time_password, read_login, read_password


def test_a_login_is_kept_in_lower_case() -> None:
    assert read_login(" Kim.Lee ") == "kim.lee"


@pytest.mark.parametrize("typed", ["", "k", "kim lee", "-kim", "kim@example.org", "k" * 41, "kím"])
def test_what_is_no_login_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(RefusedError, match=r"kim\.lee"):
        read_login(typed)


@pytest.mark.parametrize(
    ("new", "why"),
    [("short", "12 to 200"), ("x" * 201, "12 to 200"), ("the old password", "old"), ("Kim.Lee.Clinic", "your login")],
)
def test_a_password_that_is_short_old_or_the_login_is_refused(new: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        read_password(new, old="the old password", login="kim.lee.clinic")


def test_a_few_words_are_a_password_as_they_were_typed() -> None:
    assert read_password(" four words will do ", old="x", login="kim") == " four words will do "


def test_passwords_for_one_login_are_long_and_never_the_same() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) > SHORTEST_PASSWORD for password in made)
