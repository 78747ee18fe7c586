"""What a command prints: results to standard output, errors to standard error, both as JSON where asked."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

USER_ERROR: Final = 2
FINDINGS: Final = 1


def show(result: Any, *, as_json: bool) -> None:
    """Print a result: JSON, a table for a list of records, or the text itself."""
    if as_json:
        sys.stdout.write(json.dumps(result, default=str) + "\n")
        sys.stdout.flush()
    elif isinstance(result, list) and result:
        _print_table(result)
    elif isinstance(result, dict):
        width = max(map(len, result), default=0)
        for name, value in result.items():
            said = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
            sys.stdout.write(f"{name:<{width}}  {said}\n")
    else:
        sys.stdout.write(f"{result if result != [] else 'none'}\n")


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - a service that starts prints no table
    from rich.table import Table  # noqa: PLC0415 - the same

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(soft_wrap=False).print(table)


def fail(message: str, *, as_json: bool, code: int = USER_ERROR) -> NoReturn:
    """Print an error to standard error and leave."""
    sys.stderr.write((json.dumps({"error": message}) if as_json else message) + "\n")
    raise SystemExit(code)
