"""Answers a check-in through its link, as a browser without scripts does."""

from urllib.parse import urljoin
from uuid import UUID

import aiohttp

from services.sandbox.model.forms import Mind, fill, form_to_answer
from shared.protection import Keyring

LONG_AGO = 1_700_000_000


def page_mark(keyring: Keyring, checkin: UUID | str, shown_at: int = LONG_AGO) -> str:
    """Return what the form on the page of a check-in carries that is looked at since a second of the epoch."""
    return f"{shown_at}.{keyring.fingerprint(f'{checkin}:{shown_at}', context='checkin-page')[:32]}"


async def answer(link: str, items: tuple[int, ...], *, unwell: float = 0.5) -> str:
    """Answer every page behind a link; return the last page."""
    position, answered = 0, False
    async with aiohttp.ClientSession() as http, http.get(link) as first:
        page, address = await first.text(), str(first.url)
        while (form := form_to_answer(page, answered=answered)) is not None:
            pairs, position = fill(form, Mind(items, unwell, "test"), position)
            async with http.post(urljoin(address, form.action or address), data=pairs) as following:
                page, address = await following.text(), str(following.url)
            answered = True
    return page
