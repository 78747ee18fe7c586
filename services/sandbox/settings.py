"""What the sandbox must be told."""

from dataclasses import dataclass
from pathlib import Path

from services.sandbox.model.profiles import Profile


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """Settings of the stand-in network and mailbox.

    Attributes:
        account_sid: of the only account there is.
        auth_token: its secret: calls need it, webhooks are signed with it.
        data_dir: the ledger lies in `sandbox/ledger.jsonl` below it.
        phone: Keepwell's number, to which handsets send where no text came before.
        inbound_url: the webhook for texts from handsets; None until it is known.
        profile: how the network behaves when its ledger begins.
        seed: of a ledger that begins.
        smtp_host: where the mailbox listens; a loopback address, but for a container of its own.
        smtp_port: 0 takes a free one.
        virtual_patients: whether every handset is held by a virtual patient, unless told otherwise for one.
        zone: IANA zone in which the pages show times.
        webhook_budget: seconds that a webhook may take (the provider's own: 15).
        webhook_retries: how often a webhook is posted again (the provider's default: once).
        hang_seconds: real seconds after which a call that is left without an answer is cut.
        refused_domains: mail domains that do not exist (550).
        also: hosts, in small letters, that may be called beside this machine's own.
    """

    account_sid: str
    auth_token: str
    data_dir: Path
    phone: str = "+15005550006"
    inbound_url: str | None = None
    profile: Profile = Profile.CALM
    seed: int = 1
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 0
    virtual_patients: bool = False
    zone: str = "UTC"
    webhook_budget: float = 15.0
    webhook_retries: int = 1
    hang_seconds: float = 30.0
    refused_domains: tuple[str, ...] = ("refused.example",)
    also: frozenset[str] = frozenset()
