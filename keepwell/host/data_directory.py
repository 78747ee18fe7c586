"""The data directory: keys, the trial clock, the first login, and where a running Keepwell is found."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from shared.clock import Clock, FastClock, RealClock, SteppedClock
from shared.protection import Keyring
from shared.settings import Settings

PRIVATE: Final = 0o600


class NotRunningError(Exception):
    """A command needs a running Keepwell and there is none in this data directory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No Keepwell runs in {folder}. Start one with `keepwell up`, or set KEEPWELL_DATA_DIR to where it runs."
        )


@dataclass(frozen=True)
class Running:
    """Where a running Keepwell is found by the other commands; no common database where it has its own role alone."""

    pid: int
    api: str
    database_url: str | None
    kafka: str


@dataclass(frozen=True)
class Login:
    """The clinic that was set up here, and who could log in at first; a password that was shown is not kept."""

    clinic: str
    login: str | None
    password: str | None


class DataDirectory:
    """A data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keyring(self, settings: Settings) -> Keyring:
        """Return the keys of the settings, or those of this directory, made when there are none yet."""
        if settings.keys is not None:
            return Keyring.from_text(settings.keys.get_secret_value())
        file = self.folder / "keys"
        if not file.exists():
            write_private(file, Keyring.generate())
        return Keyring.from_text(file.read_text(encoding="utf-8"))

    def keys_text(self, settings: Settings) -> str:
        """Return the keys as they are written, in clear; never new ones.

        Raises:
            FileNotFoundError: there are none yet.
        """
        if settings.keys is not None:
            return settings.keys.get_secret_value()
        return (self.folder / "keys").read_text(encoding="utf-8")

    def keep_keys(self, text: str) -> None:
        write_private(self.folder / "keys", text)

    def clock(self, settings: Settings) -> Clock:
        """Return the clock of the settings; a trial's time goes on from where it was."""
        factor = settings.clock_factor
        if factor == 1:
            return RealClock()
        now = RealClock().now()
        file = self.folder / "clock.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"trial": now.isoformat()}
        trial_now = datetime.fromisoformat(known["trial"])
        if factor is None:
            return SteppedClock(trial_now)
        return FastClock(factor, real_origin=now, origin=trial_now)

    def keep_clock(self, clock: Clock) -> None:
        """Write down a trial's time."""
        if not isinstance(clock, RealClock):
            write_private(self.folder / "clock.json", json.dumps({"trial": clock.now().isoformat()}))

    def secret(self, name: str) -> str:
        """Return a random secret that stays the same in this directory."""
        file = self.folder / name
        if not file.exists():
            write_private(file, secrets.token_hex(16))
        return file.read_text(encoding="utf-8")

    @property
    def login_file(self) -> Path:
        """Return where the first login is kept, for its owner alone."""
        return self.folder / "first-login.json"

    @property
    def login(self) -> Login | None:
        """Return the first login, once the clinic was set up from here."""
        file = self.login_file
        return Login(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def keep_login(self, login: Login) -> None:
        write_private(self.login_file, json.dumps(asdict(login)))

    def forget_password(self) -> None:
        """Keep the first login without its password: somebody has seen it."""
        if (login := self.login) is not None:
            self.keep_login(replace(login, password=None))

    @property
    def running(self) -> Running:
        """Return where the running Keepwell of this directory is found.

        Raises:
            NotRunningError: there is none.
        """
        file = self.folder / "running.json"
        try:
            running = Running(**json.loads(file.read_text(encoding="utf-8")))
            os.kill(running.pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            raise NotRunningError(self.folder) from None
        return running

    def keep_running(self, running: Running) -> None:
        write_private(self.folder / "running.json", json.dumps(asdict(running)))

    def forget_running(self) -> None:
        (self.folder / "running.json").unlink(missing_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    partial = file.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "w", encoding="utf-8") as sink:
        sink.write(text)
    partial.replace(file)
