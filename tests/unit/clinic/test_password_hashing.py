"""What a password costs to guess."""

from services.clinic import password_hashing


def test_a_stolen_table_is_not_guessed_cheaply() -> None:
    # RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes.
    hasher = password_hashing.HASHER
    assert (hasher.memory_cost, hasher.time_cost, hasher.parallelism) >= (64 * 1024, 3, 4)
    assert hasher.hash("a").startswith("$argon2id$")
