"""Read the sentences of pages, docstrings and messages.

Code, quotations, addresses and generated tables are not prose: each of them becomes one character.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

PAGES: Final = ("*.md", "docs/**/*.md", "examples/**/*.md", "local_aws/**/*.md")
CODE: Final = (
    *("app.py", "benchmarks", "checks", "examples", "lambdas", "local_aws", "operations"),
    *("package", "stacks"),
)

_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")
_HIDDEN: Final = 0xE000
"""The first of the characters that stand for hidden text; Unicode keeps them for private use."""
_FILLED_IN: Final = "\uf8ff"
"""Stands for a value that an f-string fills in."""
_STOP: Final = "\uf8fe"
"""Stands for the full stop inside a quotation."""
_BREAK: Final = "\f"
"""Stands for `<br>`."""

_QUOTATION: Final = re.compile(r'(?<!\w)"[^"]+"(?!\w)|“[^”]+”')
_ADDRESS: Final = re.compile(r"https?://[^\s)]+")
_END: Final = re.compile(
    rf"(?<!\be\.g)(?<!\bi\.e)(?<!\bcf)(?<!\bvs)(?<!\.\.)[.!?{_STOP}][)\]]*\s+"
    rf"(?=[(\[]?[A-Z0-9\ue000-\uf8ff])|\s*{_BREAK}\s*"
)
_MESSAGE_WORDS: Final = 4
"""A shorter string is a name, a part of a message, or no text at all."""
_NO_TEXT: Final = re.compile(r"(?m)^(?:import|from) \w+|\w\|\w")
"""A program, or a list of names."""


class Kind(StrEnum):
    """The places that prose stands in."""

    PAGE = "page"
    DOCSTRING = "docstring"
    MESSAGE = "message"


@dataclass(frozen=True)
class Sentence:
    """One sentence, heading, list item or table cell."""

    path: Path
    """Relative to the repository."""
    line: int
    """The line that the sentence begins on; of a message, the line of its string."""
    kind: Kind
    text: str
    prose: str
    """The text with one private character in place of each piece that is not prose."""

    @property
    def words(self) -> int:
        """Count the words; hidden text is one word."""
        return sum(any(map(_is_of_word, token)) for token in self.prose.split())


@dataclass
class _Block:
    """A paragraph, a heading or a cell while it is read: the texts that are not prose."""

    _hidden: list[str] = field(default_factory=list)

    def hide(self, text: str) -> str:
        """Return the character that stands for a text."""
        self._hidden.append(text)
        return chr(_HIDDEN + len(self._hidden) - 1)

    def sentences(self, prose: str) -> Iterator[tuple[int, str, str]]:
        """Hide quotations and addresses; yield line, text and prose of each sentence."""
        prose = _QUOTATION.sub(self._hide_quotation, prose)
        prose = _ADDRESS.sub(lambda found: self.hide(found[0]), prose)
        start = 0
        for end in (*(found.end() for found in _END.finditer(prose)), len(prose)):
            one = " ".join(prose[start:end].replace(_BREAK, " ").split())
            if one:
                yield self._revealed(prose[:start]).count("\n"), self._revealed(one), one
            start = end

    def _hide_quotation(self, found: re.Match[str]) -> str:
        return self.hide(found[0]) + (_STOP if found[0][-2] in ".!?" else "")

    def _revealed(self, prose: str) -> str:
        for index, text in reversed([*enumerate(self._hidden)]):
            prose = prose.replace(chr(_HIDDEN + index), text)
        return prose.replace(_FILLED_IN, "...").replace(_STOP, "")


def _is_of_word(character: str) -> bool:
    return character.isalnum() or (ord(character) >= _HIDDEN and character != _STOP)


# -- where prose stands ----------------------------------------------------------------------------


def sentences(root: Path) -> Iterator[Sentence]:
    """Yield the sentences of a repository: all pages, then all code."""
    for path in sorted({path for pattern in PAGES for path in root.glob(pattern)}):
        yield from of_page(path.read_text(), path.relative_to(root))
    for name in CODE:
        for path in (
            sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name]
        ):
            yield from of_code(path.read_text(), path.relative_to(root))


def of_page(text: str, path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a page; of the changelog, those before the first version."""
    if path.name == "CHANGELOG.md":
        text = re.split(r"(?m)^## \[?\d", text)[0]
    if path.name in _TABLES:
        text = _TABLES[path.name].sub(lambda found: "\n" * found[0].count("\n"), text)
    for line, one, prose in _read(text):
        yield Sentence(path, 1 + line, Kind.PAGE, one, prose)


_TABLES: Final = {
    "reliability.md": re.compile(r"(?s)<!-- (scenarios|figures) -->.*?<!-- /\1 -->"),
    "benchmarks.md": re.compile(
        r"(?s)<!-- the (table|suites): written by .*?<!-- the end of the \1 -->"
    ),
    "dependencies.md": re.compile(r"(?m)^\|.*"),
}
"""The parts of pages that commands write from results: names, numbers and titles of tests."""


def of_code(text: str, path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a module: its docstrings, and its strings of four words or more."""
    module = ast.parse(text)
    docstrings = {node.value for node in ast.walk(module) if isinstance(node, ast.Expr)}
    parts = {
        part for node in ast.walk(module) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(module):
        if not isinstance(node, ast.Constant | ast.JoinedStr) or node in parts:
            continue
        said = _said(node)
        if node in docstrings:
            for line, one, prose in _read(_dedented(said, node.col_offset)):
                yield Sentence(path, node.lineno + line, Kind.DOCSTRING, one, prose)
        elif len(said.split()) >= _MESSAGE_WORDS and not _NO_TEXT.search(said):
            for _, one, prose in _read(said):
                yield Sentence(path, node.lineno, Kind.MESSAGE, one, prose)


def _said(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_said(part) or _FILLED_IN for part in parts)
    return ""


_SECTION: Final = re.compile(r"(?m)^(?:Args|Attributes|Raises|Returns|Yields):$\n((?:^ {4}.*\n?)+)")

_ENTRY: Final = re.compile(r"(?m)^ {4}(\S+):")


def _dedented(text: str, indent: int) -> str:
    """Take off the indent; make each entry of a section such as `Args:` an item, its name code."""
    text = re.sub(rf"(?m)^ {{1,{indent}}}", "", text) if indent else text
    return _SECTION.sub(lambda found: "\n" + _ENTRY.sub(r"- `\1`:", found[1]), text)


# -- Markdown --------------------------------------------------------------------------------------


def _read(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, text and prose of each sentence; the first line is 0."""
    first = 0
    for token in _MARKDOWN.parse(text):
        first = token.map[0] if token.map else first
        if token.type == "inline":
            block = _Block()
            parts = (_part(child, block) for child in token.children or ())
            for line, one, prose in block.sentences("".join(parts)):
                yield first + line, one, prose


def _part(token: Token, block: _Block) -> str:
    match token.type:
        case "text" | "image":
            return token.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "code_inline":
            return block.hide(f"`{token.content}`")
        case "html_inline" if token.content.startswith("<br"):
            return _BREAK
    return ""
