"""Commands that ask a running Keepwell, or need only its keys."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp

from keepwell.cli.output import fail, show
from keepwell.host.data_directory import DataDirectory
from shared.ids import ClinicId
from shared.settings import Settings, SettingsError
from shared.web.tokens import USUAL_SCOPES, Principal, Scope, Tokens


def create_token(
    directory: DataDirectory, settings: Settings, *, name: str, days: int, scopes: list[str], clinic: str | None
) -> dict[str, Any]:
    """Return a token, when it ends and what it allows.

    Raises:
        SettingsError: there is no clinic yet, or a scope or clinic id that does not exist.
    """
    chosen = clinic or (directory.login.clinic if directory.login else None)
    if chosen is None:
        raise SettingsError(
            f"There is no clinic in {directory.folder} yet: start `keepwell up` once, or name one with --clinic."
        )
    try:
        allowed = frozenset(map(Scope, scopes)) or USUAL_SCOPES
        principal = Principal(ClinicId(UUID(chosen)), name, allowed)
    except ValueError as error:
        raise SettingsError(f"{error}. Scopes are {', '.join(Scope)}; a clinic is named by its id.") from None
    tokens = Tokens(directory.keyring(settings))
    token = tokens.create(principal, life=timedelta(days=days))
    return {"token": token, "name": name, "scopes": sorted(allowed), "clinic": chosen, "ends": tokens.ends(token)}


def bearer(directory: DataDirectory, settings: Settings) -> str:
    """Return a token of a minute for a command's own questions."""
    if directory.login is None:
        raise SettingsError(f"There is no clinic in {directory.folder} yet: start `keepwell up` once.")
    principal = Principal(ClinicId(UUID(directory.login.clinic)), "keepwell command", frozenset({Scope.READ}))
    return Tokens(directory.keyring(settings)).create(principal, life=timedelta(minutes=1))


async def ask(directory: DataDirectory, settings: Settings, path: str) -> Any:
    """Return what the running Keepwell answers to a GET, or leave with its problem."""
    headers = {"Authorization": f"Bearer {bearer(directory, settings)}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{directory.running.api}/api/v1{path}", timeout=aiohttp.ClientTimeout(total=15)) as answer,
    ):
        content = await answer.json(content_type=None)
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own line between answers and errors
            fail(str(content.get("detail", answer.status)), as_json=False)
        return content


async def explain(directory: DataDirectory, settings: Settings, message_id: str, *, as_json: bool) -> int:
    message = await ask(directory, settings, f"/messages/{message_id}")
    if as_json:
        show(message, as_json=True)
        return 0
    about = ("purpose", "occurrence", "channel", "to", "state", "reason", "due_at")
    show({name: message.get(name) for name in about if message.get(name) is not None}, as_json=False)
    show("", as_json=False)
    show(message["story"], as_json=False)
    return 0
