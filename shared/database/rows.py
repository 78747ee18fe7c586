"""A row as what it means: the columns are the fields of the same names."""

from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol, TypeVar

from sqlalchemy import Row


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Dataclass)


def from_row(kind: type[T], row: Row[Any], /, **made: object) -> T:
    """Return a row as a dataclass; `made` are the fields that are not simply the column of their name.

    Raises:
        KeyError: the row has no column for a field, also where the field has a default.
    """
    columns = row._asdict()
    return kind(**{one.name: columns[one.name] for one in fields(kind) if one.name not in made}, **made)
