"""A docstring says what the signature does not, or is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HELD = ("keepwell", "services", "shared", "tests")
_METHODS = {"get", "post", "put", "patch", "delete"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
_SAYS_LITTLE = frozenset(
    re.findall(
        r"\w+",
        "a all an and any are as at be been by each every for from get give has have here how if in into is "
        "it its make no of off on one or out over return say so some tell that the their them there these "
        "this those to under up was what when where whether which who whose will with within",
    )
)
_ENDINGS = ("ing", "ed", "es", "s")


def words_of(text: str) -> set[str]:
    """Split names and prose into words, and take the ending off each: `sha256_of` says sha, 256 and of."""
    found = (word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text))
    return {_stem(word) for word in found if word not in _SAYS_LITTLE}


def _stem(word: str) -> str:
    ending = next((end for end in _ENDINGS if word.endswith(end) and len(word) > len(end) + 2), "")
    return word.removesuffix(ending).rstrip("e")


def functions(node: ast.AST, inside: str = "") -> Iterator[tuple[Function, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child, inside
        named = f"{inside} {child.name}" if isinstance(child, ast.ClassDef) else inside
        yield from functions(child, named)


def is_route(function: Function) -> bool:
    """Tell whether a docstring is what programs read of an address in OpenAPI."""
    called = (one.func for one in function.decorator_list if isinstance(one, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in _METHODS for one in called)


def says_nothing(function: Function, inside: str) -> bool:
    """Tell whether a docstring of one line has no word that name, class, parameters and types do not have."""
    said = ast.get_docstring(function)
    if said is None or "\n" in said or is_route(function):
        return False
    returns = "" if function.returns is None else ast.unparse(function.returns)
    body_is_docstring = len(function.body) == 1
    signature = f"{inside} {function.name} {ast.unparse(function.args)} {returns}"
    return not body_is_docstring and words_of(re.sub(r"['`]s?\b", "", said)) <= words_of(signature)


@pytest.mark.parametrize("folder", HELD)
def test_no_docstring_only_says_a_name_again(folder: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{function.lineno} {function.name}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for function, inside in functions(ast.parse(file.read_text(encoding="utf-8")))
        if says_nothing(function, inside)
    ]
    assert not found, "delete them, or say what they hold, in which unit, and how they fail"


@pytest.mark.parametrize(
    ("source", "empty"),
    [
        ("def token(self) -> str:\n    'Return the token.'\n    return self.x", True),
        ("async def patients_changed(one: int) -> int:\n    'Return the changed patients.'\n    return one", True),
        ("def token(self) -> str:\n    'Return a token of one minute.'\n    return self.x", False),
        ("def end(self) -> None:\n    'End.'", False),
        ("def wait() -> None:\n    return None", False),
        ("@routes.get('/token')\ndef token(self) -> str:\n    'Return the token.'\n    return self.x", False),
    ],
)
def test_what_says_nothing_is_told_from_what_says_something(source: str, *, empty: bool) -> None:
    assert [says_nothing(*found) for found in functions(ast.parse(source))] == [empty]
