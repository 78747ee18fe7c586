"""Write the table of settings into the operator's manual: `python -m keepwell.tools.settings_table`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shared.settings import names_and_fields

FILE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN: Final = "<!-- settings: written by `make settings` -->"
END: Final = "<!-- end of settings -->"
_HEAD: Final = "| setting | default | meaning |\n|---|---|---|\n"


def rendered() -> str:
    return _HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    for name, field in names_and_fields():
        yield f"| `{name}` | {_default(field)} | {_meaning(field)} |\n"


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return "by platform"
    return "" if field.default in {None, ""} else f"`{field.default}`"


def _meaning(field: Any) -> str:
    said = (field.description or "").replace("|", "\\|")
    return f"{said} (a secret)" if "SecretStr" in str(field.annotation) else said


def placed(document: str) -> str:
    """Return the manual with the table between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{FILE.name} lacks {BEGIN} or {END}.")
    return f"{before}{BEGIN}\n{rendered()}{END}{after}"


if __name__ == "__main__":
    FILE.write_text(placed(FILE.read_text(encoding="utf-8")), encoding="utf-8")
