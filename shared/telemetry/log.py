"""Structured logs without health data or direct identifiers.

Every line is one JSON object on standard error with an `event` (`noun.verb`) and a few ids. What looks like a phone
number or a mail address is masked, and fields whose names promise personal data are dropped to `[redacted]`.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

from shared.telemetry.plain import structlog

REDACTED: Final = "[redacted]"
PRIVATE_FIELDS: Final = frozenset(
    {
        "address",
        "answers",
        "authorization",
        "birth_date",
        "body",
        "contact",
        "cookie",
        "email",
        "family_name",
        "from",
        "given_name",
        "name",
        "note",
        "number",
        "password",
        "phone",
        "score",
        "secret",
        "text",
        "to",
        "token",
        "value",
    }
)
_PHONE = re.compile(r"\+\d[\d\s().-]{6,}\d")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


def scrub(text: str) -> str:
    """Mask phone numbers and mail addresses in free text, such as an exception's message."""
    return _MAIL.sub(REDACTED, _PHONE.sub(REDACTED, text))


def redact(_logger: object, _method: str, line: Mapping[str, Any]) -> dict[str, Any]:
    """Structlog processor: drop private fields, mask what looks like an identifier anywhere else."""
    return {
        key: REDACTED if key in PRIVATE_FIELDS else scrub(value) if isinstance(value, str) else value
        for key, value in line.items()
    }


def configure(*, level: str = "INFO", stream: Any = None) -> None:
    """Send structlog and the standard library's loggers through the same redaction as JSON lines.

    Args:
        level: the lowest level that is written.
        stream: a text stream; standard error where none is given.
    """
    shared_steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared_steps,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A broker that is away makes these two write hundreds of lines; readiness and metrics say it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("faststream").setLevel(logging.CRITICAL)
    for chatty in ("uvicorn", "alembic", "httpx", "mail.log"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module; `log.info("message.accepted", message=str(id))`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
