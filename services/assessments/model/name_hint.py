"""For whom a page is, where one number or mailbox reaches several people: no more than tells them apart."""

from collections.abc import Sequence


def name_hint(name: str, others: Sequence[str]) -> str | None:
    """Return the shortest beginning of a given name that no other has, or None where nobody else is reached.

    Where another has the very same name the whole of it is the most that a given name can tell.
    """
    if not others:
        return None
    mine, theirs = _plain(name), [_plain(other) for other in others]
    for length in range(1, len(mine)):
        if not any(other.startswith(mine[:length]) for other in theirs):
            return f"{name.strip()[:length]}."
    return name.strip()


def _plain(name: str) -> str:
    return name.strip().casefold()
