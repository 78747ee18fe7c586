"""The phone page and the mail page: what a patient would hold in hand."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request, Response
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse

from services.sandbox.control import Control
from services.sandbox.conversation import Screens
from services.sandbox.entries import HandsetOpened, Source
from services.sandbox.ledger import Ledger
from services.sandbox.model.numbers import shown, valid_number
from services.sandbox.model.texts import links
from services.sandbox.network import Network
from services.sandbox.patients import VirtualPatients
from services.sandbox.readable_mail import readable_mail
from services.sandbox.settings import SandboxSettings
from shared.clock import Clock
from shared.web.pages import templates
from shared.web.problems import Forbidden, NotFound

STATIC: Final = "/sandbox/static"
LOOK: Final = "/static"
HERE: Final = Path(__file__).parent
NEWEST: Final = 200
"""Mails that the list shows."""


def linked(body: str) -> Markup:
    """Return a text with its web addresses as links, and everything else escaped."""
    shown_body, rest = Markup(), body
    for link in links(body):
        before, _, rest = rest.partition(link)
        shown_body += escape(before) + Markup('<a href="{0}">{0}</a>').format(link)
    return shown_body + escape(rest)


def same_site(request: Request) -> None:
    """Refuse a form that another site's page sent.

    Raises:
        Forbidden: where the browser says that it comes from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden("This form was sent from another site. Open the sandbox's own page and send it there.")


class Pages:
    """The pages, over one ledger."""

    def __init__(
        self,
        settings: SandboxSettings,
        clock: Clock,
        *,
        ledger: Ledger,
        network: Network,
        patients: VirtualPatients,
        control: Control,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._network = network
        self._control = control
        self._screens = Screens(ledger, network, patients, secret=settings.auth_token, zone=ZoneInfo(settings.zone))
        self._templates = templates(HERE / "templates")
        self._templates.filters["linked"] = linked

    def _page(self, name: str, status: int = 200, **values: object) -> HTMLResponse:
        now = self._clock.now()
        page = self._templates.get_template(name)
        return HTMLResponse(page.render(now=self._screens.time_of(now), **values), status_code=status)

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/sandbox", include_in_schema=False)
        router.add_api_route("", self.home, methods=["GET"], response_model=None)
        router.add_api_route("/phone", self.phones, methods=["GET"], response_model=None)
        router.add_api_route("/phone/{handset}", self.phone, methods=["GET"], response_model=None)
        router.add_api_route("/mail", self.mails, methods=["GET"], response_model=None)
        router.add_api_route("/mail/{mail}", self.mail, methods=["GET"], response_model=None)
        router.add_api_route("/mail/{mail}/parts/{place}", self.part, methods=["GET"], response_model=None)
        router.add_api_route("/reset", self.ask_reset, methods=["GET"], response_model=None)
        own = [Depends(same_site)]
        router.add_api_route("/phone", self.open, methods=["POST"], response_model=None, dependencies=own)
        router.add_api_route(
            "/phones/{handset}/messages", self.send, methods=["POST"], response_model=None, dependencies=own
        )
        router.add_api_route("/reset/confirmed", self.reset, methods=["POST"], response_model=None, dependencies=own)
        return router

    async def home(self) -> Response:
        """Lead to the phone page, the one that people look for."""
        return RedirectResponse("/sandbox/phone", HTTPStatus.SEE_OTHER)

    async def phones(self) -> Response:
        """Show all handsets."""
        return self._page("phones.html", handsets=self._screens.handsets(self._clock.now()), flaw="", typed="")

    async def open(self, number: Annotated[str, Form()] = "") -> Response:
        """Take a handset in hand by its number."""
        plain = "".join(letter for letter in number if letter not in " -().\u2011")
        if not valid_number(plain):
            flaw = "Write the number with its country code, such as +1 212 555 0123."
            handsets = self._screens.handsets(self._clock.now())
            return self._page(
                "phones.html", HTTPStatus.UNPROCESSABLE_ENTITY, handsets=handsets, flaw=flaw, typed=number
            )
        if plain not in self._ledger.handsets:
            self._ledger.record(HandsetOpened(number=plain, at=self._clock.now()))
        return RedirectResponse(f"/sandbox/phone/{self._screens.id_of(plain)}", HTTPStatus.SEE_OTHER)

    async def phone(self, handset: str) -> Response:
        """Show the talk on one handset."""
        number = self._number(handset)
        return self._page(
            "phone.html",
            handset=handset,
            number=shown(number),
            owner=self._screens.name_of(number),
            peer=shown(self._network.senders_of(number)[0]),
            conversation=self._screens.conversation(number, self._clock.now()),
        )

    async def send(
        self, handset: str, body: Annotated[str, Form(alias="Body")] = "", quick: Annotated[str, Form()] = ""
    ) -> Response:
        """Send a text from a handset, and show the talk again."""
        number = self._number(handset)
        words = quick or body.strip()
        if words:
            await self._network.receive(number, words, source=Source.PAGE)
        return RedirectResponse(f"/sandbox/phone/{handset}#answer", HTTPStatus.SEE_OTHER)

    def _number(self, handset: str) -> str:
        number = self._screens.number_of(handset)
        if number is None:
            raise NotFound("There is no such handset. It may have been from before a reset; see /sandbox/phone.")
        return number

    async def mails(self) -> Response:
        """Show the newest mails."""
        letters = [readable_mail(mail) for mail in reversed(list(self._ledger.mails.values())[-NEWEST:])]
        mails = [(letter, self._screens.time_of(letter.at)) for letter in letters]
        return self._page("mails.html", mails=mails, total=len(self._ledger.mails))

    async def mail(self, mail: str) -> Response:
        """Show one mail."""
        kept = self._ledger.mails.get(mail)
        if kept is None:
            raise NotFound("There is no such mail. It may have been from before a reset; see /sandbox/mail.")
        letter = readable_mail(kept)
        return self._page("mail.html", letter=letter, when=self._screens.time_of(letter.at))

    async def part(self, mail: str, place: int) -> Response:
        """Give a part of a mail as a file."""
        kept = self._ledger.mails.get(mail)
        parts = readable_mail(kept).parts if kept else ()
        if not 0 <= place < len(parts):
            raise NotFound("There is no such part of a mail; see /sandbox/mail.")
        found = parts[place]
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.filename)}"}
        return Response(found.content, media_type=found.kind, headers=headers)

    async def ask_reset(self) -> Response:
        """Ask before everything is forgotten."""
        return self._page("reset.html", texts=len(self._ledger.texts), mails=len(self._ledger.mails))

    async def reset(self) -> Response:
        """Forget everything."""
        self._control.reset()
        return RedirectResponse("/sandbox/phone", HTTPStatus.SEE_OTHER)
