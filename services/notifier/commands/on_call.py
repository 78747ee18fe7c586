"""Telling each clinic whether a page reaches anybody, where that has changed."""

from collections.abc import Collection

from services.notifier.model.purposes import Channel
from services.notifier.store import on_call
from shared.bus import publish
from shared.database import Transaction
from shared.events import OnCallChecked
from shared.protection import Keyring
from shared.telemetry.log import get_logger

log = get_logger(__name__)


async def tell(tx: Transaction, keyring: Keyring, channels: Collection[Channel]) -> None:
    """Say for each clinic who can be reached, where that has changed."""
    for each in await on_call.reachability(tx, keyring, channels):
        await _tell(tx, keyring, channels, each)


async def _tell(
    tx: Transaction, keyring: Keyring, channels: Collection[Channel], seen: on_call.OnCallReachability
) -> None:
    now, told, version = await on_call.lock_reachability(tx, keyring, channels, seen.clinic)
    if told == now.plain():
        return
    await on_call.keep_reachability(tx, now, version + 1)
    await publish(tx, OnCallChecked(clinic=seen.clinic, version=version + 1, contacts=now.contacts, at=tx.now))
    if now.reaches_nobody:
        log.error("oncall.unreachable", clinic=str(seen.clinic))
