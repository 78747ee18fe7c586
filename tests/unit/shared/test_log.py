import io
import json
import logging

from shared.telemetry.log import configure, get_logger, redact, scrub


def test_phone_numbers_and_addresses_are_masked_in_free_text() -> None:
    assert scrub("call +1 (500) 555-0123 or ana@example.org now") == "call [redacted] or [redacted] now"


def test_private_fields_are_dropped_and_ids_are_kept() -> None:
    line = redact(None, "info", {"event": "message.sent", "body": "Hello", "given_name": "Ana", "message": "0190f3c0"})
    assert line == {"event": "message.sent", "body": "[redacted]", "given_name": "[redacted]", "message": "0190f3c0"}


def test_a_log_line_is_json_without_identifiers_also_from_other_libraries() -> None:
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    try:
        configure(stream=stream)
        get_logger("test").info("message.failed", error="no such number +15005550123", message="m1")
        logging.getLogger("other").warning("mail to ana@example.org bounced")
    finally:
        logging.getLogger().handlers[:] = before
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["error"], first["message"]) == ("message.failed", "no such number [redacted]", "m1")
    assert "example.org" not in second["event"]
