import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protection import Keyring, KeyringError, SealedError, mask

KEYS = Keyring.from_text(Keyring.generate("k1"))


@given(st.text(), st.sampled_from(["contact", "name", "link"]))
def test_what_is_sealed_is_opened_again(text: str, context: str) -> None:
    assert KEYS.open(KEYS.seal(text, context=context), context=context) == text


@given(st.text(min_size=4))
def test_a_sealed_text_shows_nothing_of_itself_and_never_looks_the_same_twice(text: str) -> None:
    one, other = KEYS.seal(text, context="name"), KEYS.seal(text, context="name")
    assert one != other
    assert text not in one


def test_a_sealed_text_does_not_open_in_another_context() -> None:
    with pytest.raises(SealedError, match="another context"):
        KEYS.open(KEYS.seal("Ana", context="name"), context="contact")


def test_a_sealed_text_that_was_altered_does_not_open() -> None:
    sealed = KEYS.seal("Ana", context="name")
    altered = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    with pytest.raises(SealedError):
        KEYS.open(altered, context="name")


def test_after_a_rotation_old_seals_open_and_new_ones_use_the_new_key() -> None:
    old_text = Keyring.generate("k1")
    old, both = Keyring.from_text(old_text), Keyring.from_text(f"{old_text},{Keyring.generate('k2')}")
    assert both.open(old.seal("Ana", context="name"), context="name") == "Ana"
    assert both.seal("Ana", context="name").startswith("k2.")


def test_fingerprints_survive_a_rotation_and_depend_on_the_context() -> None:
    old_text = Keyring.generate("k1")
    old, both = Keyring.from_text(old_text), Keyring.from_text(f"{old_text},{Keyring.generate('k2')}")
    assert old.fingerprint("+15550100", context="contact") == both.fingerprint("+15550100", context="contact")
    assert old.fingerprint("+15550100", context="contact") != old.fingerprint("+15550100", context="name")


@pytest.mark.parametrize("text", ["", "k1", "k1:short", "k1:not base64!"])
def test_keys_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(KeyringError):
        Keyring.from_text(text)


@pytest.mark.parametrize(
    ("value", "shown"), [("+15005550123", "+1••••••0123"), ("ana@example.org", "a•••@example.org"), ("911", "•••")]
)
def test_a_mask_shows_only_what_is_needed_to_recognise(value: str, shown: str) -> None:
    assert mask(value) == shown
