"""The notifier, put together: who was told what, and what became of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit

from services.notifier.api import api
from services.notifier.calling import Caller
from services.notifier.commands.claiming import next_due as next_claim
from services.notifier.handlers import handlers
from services.notifier.history import HISTORY
from services.notifier.letters import House, LetterWriter
from services.notifier.listener import Listener
from services.notifier.model.purposes import Channel
from services.notifier.model.rate import Limits, Rate
from services.notifier.model.settling import Patience
from services.notifier.planner import Planner
from services.notifier.ports import Port
from services.notifier.ports.twilio import TwilioAccount, TwilioPort
from services.notifier.reconciler import Reconciler
from services.notifier.sender import Sender
from services.notifier.settler import Settler
from services.notifier.store import attempts, figures, findings, held_messages, on_call
from services.notifier.store.in_clear import IN_CLEAR
from services.notifier.tables import CALLBACKS, FORGERIES, IDEMPOTENCY, SCHEMA
from services.notifier.wake_up import WakeUp
from services.notifier.watch import OnCallWatch
from services.notifier.webhooks import STATUS_PATH, WebhookContext, webhooks
from shared.bus.retention import Purge, Retention
from shared.database import Reader
from shared.sealing import Sealing
from shared.service import Context, Loop, Service
from shared.settings import LIVE_PROVIDER
from shared.web.idempotency import forgotten

RETENTION: Final = (forgotten(IDEMPOTENCY), Retention(CALLBACKS, "received_at"), Retention(FORGERIES, "minute"))


def build(context: Context) -> Service:
    """Build the notifier from what the process gives it."""
    settings, provider = context.settings.notifier, context.provider
    planner = Planner(context.keyring, WakeUp())
    patience = Patience(timedelta(seconds=settings.settle_after))
    house = House(
        url=context.public_url,
        mailbox=parseaddr(provider.smtp_from)[1],
        daily_limit=settings.texts_per_day,
        settle_after=patience.margin,
    )
    ports = _ports(context)
    limits = Limits(settings.concurrency, Rate(settings.rate_per_second), provider.twilio_from)
    writer = LetterWriter(context.keyring, house)
    sender = Sender(context.database, writer, Caller(ports), planner.wake_up, limits, patience)
    settler = Settler(context.database, ports.get(Channel.SMS), context.keyring, planner.wake_up, patience=patience)
    reconciler = Reconciler(context.database, ports.get(Channel.SMS), planner, patience=patience)
    webhook = WebhookContext(
        context.database,
        planner,
        [token for token in (provider.twilio_auth_token, provider.twilio_auth_token_other) if token]
        if provider.twilio_account_sid
        else [],
        provider.twilio_account_sid,
        context.public_url,
    )
    listener = Listener(context.database, ports.get(Channel.SMS), planner)

    async def send() -> None:
        await listener.begin()
        await sender.run()

    async def next_due(reader: Reader) -> datetime | None:
        looks = [await attempts.next_look(reader), await held_messages.next_look(reader)]
        instants = [await next_claim(reader, limits), *looks]
        return min((instant for instant in instants if instant is not None), default=None)

    async def busy(reader: Reader) -> bool:
        due = await next_claim(reader, limits)
        look = await held_messages.next_look(reader)
        instants = [instant for instant in (due, look) if instant is not None]
        return any(instant <= reader.now for instant in instants) or await attempts.under_way(reader)

    async def status(reader: Reader) -> dict[str, int]:
        lost = sum(each.reaches_nobody for each in await on_call.reachability(reader, context.keyring, ports))
        return {
            "oncall_unreached": lost,
            "unknown_attempts": await attempts.unknown_count(reader),
            "unknown_for_a_person": await attempts.for_a_person_count(reader),
            **await held_messages.counts(reader),
            **await findings.counts(reader),
        }

    async def notes(reader: Reader) -> list[str]:
        lost = [each for each in await on_call.reachability(reader, context.keyring, ports) if each.reaches_nobody]
        said = [
            f"alerts of clinic {each.clinic} reach nobody on call ({each.words()}): set another contact in Settings"
            for each in lost
        ]
        return [*await listener.alarms(reader), *said, *await findings.notes(reader)]

    return Service(
        name=SCHEMA,
        database=context.database,
        history=HISTORY,
        handlers=handlers(planner),
        routers=[api(context.database, context.keyring), webhooks(webhook)],
        loops=[
            Loop("sender", send),
            Loop("settler", settler.run),
            Loop("reckoner", reconciler.run),
            Loop("on-call", OnCallWatch(context.database, context.keyring, frozenset(ports)).run),
            Loop("listener", listener.run),
            Loop("forgetting", Purge(context.database, RETENTION, context.settings.keep).run),
            Loop("sealing", Sealing(context.database, context.keyring, IN_CLEAR).run),
        ],
        next_due=next_due,
        busy=busy,
        status=status,
        notes=notes,
        measure=figures.measure,
    )


def _ports(context: Context) -> Mapping[Channel, Port]:
    """Return a port for each channel that has an account."""
    provider, timeout = context.provider, context.settings.notifier.provider_timeout
    ports: dict[Channel, Port] = {}
    if provider.twilio_account_sid is not None:
        account = TwilioAccount(
            base_url=provider.twilio_base_url,
            sid=provider.twilio_account_sid,
            token=provider.twilio_auth_token,
            sender=provider.twilio_from,
            status_url=context.public_url + STATUS_PATH,
        )
        live = urlsplit(provider.twilio_base_url).hostname == urlsplit(LIVE_PROVIDER).hostname
        dated = live or context.settings.clock == "real" or context.settings.sandbox_on
        ports[Channel.SMS] = TwilioPort(context.http, account, timeout=timeout, same_clock=live, dated=dated)
    if provider.smtp_host is not None:
        from services.notifier.ports.smtp import SmtpAccount, SmtpPort  # noqa: PLC0415 - where there is mail alone

        mail = SmtpAccount(
            host=provider.smtp_host,
            port=provider.smtp_port,
            sender=provider.smtp_from,
            username=provider.smtp_username,
            password=provider.smtp_password,
            tls=provider.smtp_tls,
            ca_file=provider.smtp_ca,
        )
        ports[Channel.EMAIL] = SmtpPort(mail, context.clock, timeout=timeout)
    return ports
