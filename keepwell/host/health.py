"""`python -m keepwell.host.health`: a container's health check. Loads next to nothing, for it runs every few s."""

import http.client
import json
import os
import sys
from http import HTTPStatus
from typing import Final

WITHIN: Final = 3.0
"""Seconds for an answer; the health check itself is cut after four."""


def main() -> int:
    """Ask this machine's `/readyz`; print what is wrong and return 1 where the process cannot do its work."""
    port = int(os.environ.get("KEEPWELL_HTTP_PORT") or 8080)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        told = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        sys.stdout.write(f"no answer: {type(error).__name__}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write("\n".join(told.get("problems", [])) + "\n")
    return 0 if answer.status == HTTPStatus.OK else 1


if __name__ == "__main__":
    raise SystemExit(main())
