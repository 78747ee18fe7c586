"""What the docs name is there, what the glossary retired is gone, and decisions have one form."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
GUIDES = ("recipes.md", "glossary.md", "find.md")
"""Pages that say where things are."""
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
GENERATED = {"metrics.md"}
LINE = 100
FOLDERS = {"keepwell", "services", "shared", "tests"}
FORM = ["Context", "Decision", "Consequences", "Alternatives"]
_PATH = re.compile(r"`((?:docs|keepwell|services|shared|tests|deploy)/[^`\s]*|docker-compose[\w.-]*)`")
_MADE_UP = re.compile(r"<\w+>")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def paths_in(page: str) -> list[str]:
    return sorted(set(_PATH.findall((DOCS / page).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_leads_to_no_path_that_there_is_not(page: str) -> None:
    named = paths_in(page)
    # `services/<name>/tables.py` stands for each service, `packs/<id>/<version>/` for each pack.
    missing = [path for path in named if not list(ROOT.glob(_MADE_UP.sub("*", path).rstrip("/")))]
    assert named
    assert not [path for path in missing if not (DOCS / path).exists()], f"docs/{page} names them"


@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_names_nothing_in_the_code_that_there_is_not(page: str) -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("keepwell", "services", "shared")
        for file in (ROOT / folder).rglob("*.*")
        if file.suffix in {".py", ".toml"}
    )
    said = (DOCS / page).read_text(encoding="utf-8").split("## Retired words")
    named = set(re.findall(r"`(_?[A-Za-z]\w*)(?:\(\.\.\.\))?`", said[0])) | set(re.findall(r"`(\w+)`[,:]", said[-1]))
    assert named
    assert not {name for name in named if not re.search(rf"\b{name}\b", code) and name not in FOLDERS}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_links_to_a_file_that_there_is_not(page: Path) -> None:
    missing = [to for to in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / to.strip()).exists()]
    assert not missing, page.relative_to(ROOT)


def prose_of(page: Path) -> list[str]:
    """Return the lines that can be broken: no table, no code, no picture."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if not line.lstrip().startswith(("|", "!["))]


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in GENERATED], ids=str)
def test_no_line_of_prose_is_longer_than_a_hundred_characters(page: Path) -> None:
    assert not [line for line in prose_of(page) if len(line) > LINE]


@pytest.mark.parametrize("decision", sorted((DOCS / "decisions").glob("*.md")), ids=lambda file: str(file.name))
def test_a_decision_says_why_what_what_follows_and_what_lost(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert text.startswith(f"# {decision.name[:4]} ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == FORM


RETIRED = re.findall(r"^\| (\w+) \| `([\w/]+)` \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


@cache
def names_in(file: Path) -> set[str]:
    found = {file.stem, file.parent.name}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        said = (getattr(node, part, None) for part in ("id", "attr", "arg", "name", "asname", "module"))
        found |= {name for name in said if isinstance(name, str)}
    return found


@pytest.mark.parametrize(("word", "folder"), RETIRED)
def test_a_retired_word_does_not_come_back_as_a_name(word: str, folder: str) -> None:
    found = {file: names_in(file) for file in sorted((ROOT / folder).rglob("*.py"))}
    back = [
        f"{file.relative_to(ROOT)}: {name}" for file, names in found.items() for name in names if word in words_of(name)
    ]
    assert not back, "docs/glossary.md says what it is called now"


def test_words_are_retired_and_found_inside_of_names() -> None:
    assert RETIRED
    assert words_of("DeadLetterBox") == {"dead", "letter", "box"}
    assert "place" in words_of("_place_of")
    assert "place" not in words_of("placed")


def test_no_error_sends_its_reader_to_a_page_that_there_is_not() -> None:
    code = [file for folder in ("services", "shared", "keepwell") for file in (ROOT / folder).rglob("*.py")]
    named = {name for file in code for name in re.findall(r"docs/[\w-]+\.md", file.read_text(encoding="utf-8"))}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
