"""Builds the clinic service."""

import asyncio
from email.utils import parseaddr

from fastapi import APIRouter

from services.clinic import api, api_settings, gateway
from services.clinic.authentication import Authentication
from services.clinic.commands.clinics import ClinicCommands
from services.clinic.commands.patients import PatientCommands
from services.clinic.handlers import handlers
from services.clinic.history import HISTORY
from services.clinic.live_updates import LiveUpdates
from services.clinic.other_services import OtherServices
from services.clinic.own_writes import OwnWrites
from services.clinic.pages import (
    answers,
    bookings,
    contacts,
    decisions,
    enrolment,
    live,
    login,
    patient,
    patients,
    phone,
    rules,
    sessions,
    settings,
    staff,
    today,
)
from services.clinic.pages.console import Console
from services.clinic.pages.page_request import is_secure
from services.clinic.pages.patient import PatientPages
from services.clinic.store import clinics
from services.clinic.store.in_clear import IN_CLEAR
from services.clinic.tables import IDEMPOTENCY, SCHEMA
from shared.bus.retention import Purge
from shared.clock import RealClock
from shared.sealing import Sealing
from shared.service import Context, Loop, Service
from shared.web.away import Whom
from shared.web.idempotency import forgotten


def build(context: Context) -> Service:
    """Build the service from what the process gives it."""
    # Sessions in browsers, beats and patience are of the real world, whatever clock the clinic lives by.
    real = RealClock()
    live_updates = LiveUpdates(real)
    database, keyring = context.database, context.keyring
    console = Console(
        database=database,
        keyring=keyring,
        authentication=Authentication(database, keyring, real, secure=is_secure(context.public_url)),
        live_updates=live_updates,
        client=context.client,
        other_services=OtherServices(context.client, real),
        own_writes=OwnWrites(database, keyring, real),
        patient_commands=PatientCommands(keyring, context.settings.texted_countries),
        clock=context.clock,
        trial=context.settings.clock != "real",
        live=context.settings.live,
        mailbox=_mailbox(context),
    )
    return Service(
        name=SCHEMA,
        database=database,
        history=HISTORY,
        handlers=handlers(live_updates, keyring),
        routers=[
            api.router(database, console.patient_commands),
            api_settings.router(database, ClinicCommands(keyring)),
            *_pages(console),
            _gateway(context),
        ],
        loops=[
            Loop("clinic.live-updates", lambda: _until_stopped(live_updates)),
            Loop("forgetting", Purge(database, [forgotten(IDEMPOTENCY)], context.settings.keep).run),
            Loop("sealing", Sealing(database, keyring, IN_CLEAR).run),
        ],
    )


def _mailbox(context: Context) -> str | None:
    """Return the address that mail comes back to when it cannot be delivered."""
    provider = context.provider
    return parseaddr(provider.smtp_from)[1] if provider.smtp_host else None


def _pages(console: Console) -> list[APIRouter]:
    pages = PatientPages(console)
    return [
        login.router(console.authentication),
        live.router(console),
        today.router(console),
        enrolment.router(console, pages),
        patients.router(console),
        patient.router(pages),
        sessions.router(pages),
        bookings.router(console),
        contacts.router(pages),
        phone.router(pages),
        answers.router(pages),
        decisions.router(pages),
        rules.router(console),
        settings.router(console),
        staff.router(console),
    ]


def _gateway(context: Context) -> APIRouter:
    settings = context.settings
    urls = {
        name: part.url
        for name, part in (
            ("scheduler", settings.scheduler),
            ("notifier", settings.notifier),
            ("assessments", settings.assessments),
        )
        if part.url is not None and name not in context.hosted
    }

    async def whom() -> Whom | None:
        async with context.database.reading() as reader:
            return await clinics.whom_to_call(reader)

    return gateway.router(context.http, urls, whom)


async def _until_stopped(live_updates: LiveUpdates) -> None:
    """End the pages' streams when the process stops: a stream that stays open would hold the web server up."""
    try:
        await asyncio.Event().wait()
    finally:
        live_updates.close()
