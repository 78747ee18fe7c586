"""Those outside: the provider of texts, the mail server, and the way by which the provider reaches us."""

import asyncio
import smtplib
import ssl
from contextlib import closing
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import aiosmtplib

from keepwell.doctor.finding import PATIENCE, Finding, Installation, skew_of
from services.notifier.ports.smtp import SmtpAccount, reason_of
from services.notifier.ports.twilio import kept_back, went_out
from services.notifier.webhooks import PROBE_PATH
from shared.clock import RealClock
from shared.settings import Settings

MOST_SKEW: Final = 60.0
"""Seconds by which the provider's clock may differ: its dates settle what went out, to the hour."""
CHECK_PROXY: Final = "check KEEPWELL_PUBLIC_URL, and that the proxy passes /webhooks/ on with path and body unchanged"


async def outside(installation: Installation) -> list[Finding]:
    return [await _provider(installation.settings), await _webhooks(installation), await _mail(installation.settings)]


async def _provider(settings: Settings) -> Finding:
    token = settings.twilio_auth_token
    if settings.twilio_account_sid is None:
        return Finding("provider", well=True, detail="no account set: texts go to the sandbox")
    if token is None:
        return Finding("provider", well=True, detail="the account's secret is not known here; only the notifier has it")
    url = f"{settings.twilio_base_url}/2010-04-01/Accounts/{settings.twilio_account_sid}/Messages.json"
    login = aiohttp.encode_basic_auth(settings.twilio_account_sid, token.get_secret_value())
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=PATIENCE), headers={"Authorization": login}
            ) as http,
            http.get(url, params={"PageSize": "20"}) as answer,
        ):
            status, date = answer.status, answer.headers.get("Date")
            listed = await answer.json(content_type=None) if status == HTTPStatus.OK else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        detail = f"{settings.twilio_base_url} does not answer: {type(error).__name__}"
        return Finding("provider", well=False, detail=detail, remedy="check KEEPWELL_TWILIO_BASE_URL and the way out")
    return _provider_says(status, skew_of(date, RealClock().now()), listed)


def _provider_says(status: int, skew: float | None, listed: Any) -> Finding:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        remedy = "check KEEPWELL_TWILIO_ACCOUNT_SID and KEEPWELL_TWILIO_AUTH_TOKEN"
        return Finding("provider", well=False, detail=f"it does not know this account: HTTP {status}", remedy=remedy)
    if status != HTTPStatus.OK:
        return Finding("provider", well=False, detail=f"it answers HTTP {status}", remedy="look at its status page")
    if skew is not None and skew > MOST_SKEW:
        detail = f"it knows the account; its clock is {skew:.0f} s from ours"
        return Finding("provider", well=False, detail=detail, remedy="run NTP on this machine")
    return _list_says(listed)


def _list_says(listed: Any) -> Finding:
    texts = listed.get("messages") if isinstance(listed, dict) else None
    if not isinstance(texts, list):
        return Finding(
            "provider", well=False, detail="it shows no list of texts", remedy="check KEEPWELL_TWILIO_BASE_URL"
        )
    if any(kept_back(text) for text in texts):
        detail = (
            "it knows the account, but its list hides words or numbers of what was sent: a text whose answer was lost "
            "cannot be looked up, and waits for a person"
        )
        remedy = "switch message redaction off for this account, or decide such texts by `keepwell held list`"
        return Finding("provider", well=False, detail=detail, remedy=remedy)
    if not any(went_out(text) for text in texts):
        return Finding("provider", well=True, detail="it knows the account; nothing was sent yet that it could show")
    return Finding("provider", well=True, detail="it knows the account, and shows what it sent")


async def _webhooks(installation: Installation) -> Finding:
    """Call an address that is there for this alone: signed as the provider signs, not signed, and signed wrongly."""
    base = installation.base
    if base is None:
        return Finding("webhooks", well=True, detail="no public address is known here")
    url = f"{base}{PROBE_PATH}"
    try:
        unsigned = await _call(url, None)
        forged = await _call(url, "forged")
        signed = None if installation.token is None else await _call(url, installation.token)
    except (aiohttp.ClientError, TimeoutError) as error:
        detail = f"{base} does not answer: {type(error).__name__}"
        return Finding("webhooks", well=False, detail=detail, remedy=CHECK_PROXY)
    for what, status in (("an unsigned call", unsigned), ("a wrongly signed call", forged)):
        if status != HTTPStatus.FORBIDDEN:
            detail = f"{what} to {base} got {status}, not 403: something else answers there"
            return Finding("webhooks", well=False, detail=detail, remedy=CHECK_PROXY)
    if signed is None:
        detail = "unsigned calls are refused; the secret to sign with is not known here"
        return Finding("webhooks", well=True, detail=detail)
    if signed != HTTPStatus.NO_CONTENT:
        detail = f"a call signed as the provider does got {signed}: the notifier has another public address or secret"
        remedy = f"give doctor and notifier the same KEEPWELL_PUBLIC_URL and KEEPWELL_TWILIO_AUTH_TOKEN; {CHECK_PROXY}"
        return Finding("webhooks", well=False, detail=detail, remedy=remedy)
    return Finding(
        "webhooks", well=True, detail=f"{base}: a signed call is taken, unsigned and forged ones are refused"
    )


async def _call(url: str, token: str | None) -> int:
    from twilio.request_validator import RequestValidator  # noqa: PLC0415 - slow to load

    form = {"Probe": "keepwell doctor", "Odd": "ñ +&="}
    signature = {} if token is None else {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, form)}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http,
        http.post(url, data=form, headers=signature, allow_redirects=False) as answer,
    ):
        return answer.status


async def _mail(settings: Settings) -> Finding:
    """Greet the mail server, encrypt, log in, name the sender, and leave without a mail."""
    if settings.smtp_host is None:
        return Finding("mail", well=True, detail="no server set: e-mail goes to the sandbox, or is off")
    if settings.smtp_from is None:
        detail = "KEEPWELL_SMTP_FROM is not set, and nothing starts without it: nobody takes mail from clinic@localhost"
        return Finding("mail", well=False, detail=detail, remedy="set it to an address of your own domain")
    password = settings.smtp_password
    account = SmtpAccount(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        tls=settings.smtp_tls,
        ca_file=None if settings.smtp_ca is None else str(settings.smtp_ca),
    )
    where = f"{account.host}:{account.port}"
    try:
        with closing(account.client(timeout=PATIENCE)) as client:
            async with asyncio.timeout(3 * PATIENCE):
                await client.connect()
                encrypted = client.get_transport_info("sslcontext") is not None
                await client.mail(account.address)
                await client.rset()
                await client.quit()
    except (aiosmtplib.SMTPException, smtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        return Finding("mail", well=False, detail=f"{where}: {type(error).__name__}: {error}", remedy=_remedy(error))
    how = "encrypted" if encrypted else "NOT encrypted"
    logged_in = f"logged in as {account.username}" if account.username else "without a login"
    if not encrypted and account.tls != "none":
        remedy = "set KEEPWELL_SMTP_TLS=tls or starttls; none, where the way to it is your own"
        return Finding("mail", well=False, detail=f"{where} answers, {how}, {logged_in}", remedy=remedy)
    return Finding("mail", well=True, detail=f"{where} answers, {how}, {logged_in}, and takes the sender")


def _remedy(error: Exception) -> str:
    if reason_of(error) == ssl.SSLCertVerificationError.__name__:
        return (
            "its certificate is not signed by an authority that this machine trusts, or not for this name: give the "
            "server's own (or its authority's) in KEEPWELL_SMTP_CA, and its name in KEEPWELL_SMTP_HOST"
        )
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return "check KEEPWELL_SMTP_USERNAME and KEEPWELL_SMTP_PASSWORD"
        case aiosmtplib.SMTPSenderRefused():
            return "check KEEPWELL_SMTP_FROM: the server does not let this account send as it"
        case aiosmtplib.SMTPConnectError() | OSError() | TimeoutError():
            return "check KEEPWELL_SMTP_HOST, KEEPWELL_SMTP_PORT (587 with STARTTLS, 465 with KEEPWELL_SMTP_TLS=tls)"
        case _:
            return "check KEEPWELL_SMTP_TLS and the server's certificate"
