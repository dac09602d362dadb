"""Check the language of pages, docstrings and messages: spelling, and the rules of CONTRIBUTING.md.

python -m checks.prose [file or folder ...]
"""

import re
import string
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from spellchecker import SpellChecker

from checks.sentences import Kind, Sentence, sentences

ROOT: Final = Path(__file__).parents[1]

MAX_WORDS: Final = 30
MAX_WHAT: Final = 3
"""How often a text of 1,000 words may have the word; a shorter text may have it once."""

WORDS: Final = Path(__file__).with_name("words.txt")
"""The words that the spelling checker does not know: names, terms of the field, and spellings."""

_WORD: Final = re.compile(r"[A-Za-z][a-z]+(?:'[a-z]+)?")
"""With digits, dots, underscores or capitals inside it is the name of something."""


@dataclass(frozen=True)
class Finding:
    """A rule that a sentence breaks, and an example that keeps it."""

    sentence: Sentence
    rule: str
    better: str

    def __str__(self) -> str:
        one = self.sentence
        return f"{one.path}:{one.line}: {self.rule}\n    {one.text}\n    Better: {self.better}"


@dataclass(frozen=True)
class Avoided:
    """A way to say something (in either case), with the rule and the better way."""

    pattern: str
    rule: str
    better: str


_START: Final = r"^[\W_]*"
_SERVICES: Final = (
    "service|services|AWS|CloudFormation|IAM|Lambda|npm|Personalize|PyPI|S3|Scheduler|STS"
)

AVOIDED: Final = (
    Avoided(
        rf"{_START}what\b",
        'begins with "What"',
        'a noun: "Dropped calls are not stored", not "What was dropped is not stored"',
    ),
    Avoided(
        rf"{_START}of an?\b",
        'begins with "Of a"',
        'the actor, or a condition with "If": "If a stack is stuck, the command reads ...", '
        'not "Of a stack that is stuck it reads ..."',
    ),
    Avoided(r"\banew\b", 'has "anew"', '"again"'),
    Avoided(r"\bbeside\b", 'has "beside"', '"besides", "next to", "with", "in addition to"'),
    Avoided(
        r"\b(?:go|goes|going|gone|went) with\b",
        'has "goes with"',
        '"is deleted with", "belongs to"',
    ),
    Avoided(r"\bin force\b", 'has "in force"', '"effective": "the effective configuration"'),
    Avoided(
        r"\b(?:asked|asks|asking) for\b", 'has "asked for"', '"requested", "configured", "expected"'
    ),
    Avoided(
        rf"\bask(?:s|ed|ing)? (?:the )?(?:{_SERVICES})\b",
        "asks a service",
        '"call", "request": "the function calls Personalize"',
    ),
    Avoided(r"\bwanted\b", 'has "wanted"', '"expected": "actual 0.9, expected 0.3"'),
    Avoided(
        r"\b(?:is|are|was|were|be|been|stands?|stood) there(?= *(?:[.,;:)]|$))",
        'has "there" for "exists"',
        '"exists", or "actual": "actual 0.9, expected 0.3"',
    ),
    Avoided(
        r"\b(?:(?:a|another|each|every|first|half|last|latest|missed|next|one|per|previous|this)"
        r" look|(?:few|many|missed|several|two|three) looks)\b(?! (?:for|like|up))",
        'has "look" as a noun',
        '"poll", "observation" or "attempt"',
    ),
    Avoided(
        r"\blook(?:s|ed|ing)? (?:again|at|once)\b",
        'has "look" as a verb',
        '"poll", "observe", "read" or "check": "the function polls the recommender"',
    ),
    Avoided(
        r"\b(?:somebody|nobody)\b",
        "does not name the actor",
        'the actor: "you", "another command", "no test"',
    ),
)


def of_words(one: Sentence) -> Iterator[Finding]:
    """Yield the findings in the words of one sentence."""
    if one.words > MAX_WORDS:
        yield Finding(
            one,
            f"{one.words} words; at most {MAX_WORDS}",
            'one idea a sentence, and a condition first: "If no stack has that name, '
            '`cdk destroy` prints a message. It exits with 0."',
        )
    for way in AVOIDED:
        if re.search(way.pattern, one.prose, re.IGNORECASE):
            yield Finding(one, way.rule, way.better)


def text_of(one: Sentence) -> str:
    """Name the text that a sentence belongs to: a page, or the docstrings of a folder."""
    if one.kind is Kind.PAGE:
        return str(one.path)
    return f"{one.path.parts[0]}, {one.kind}s"


def of_what(found: Sequence[Sentence]) -> Iterator[Finding]:
    """Yield each sentence that has the word, in the texts that have it too often."""
    words, times = Counter[str](), Counter[str]()
    for one in found:
        words[text_of(one)] += one.words
        times[text_of(one)] += _whats(one)
    for one in found:
        text = text_of(one)
        if _whats(one) and times[text] > max(1, MAX_WHAT * words[text] // 1000):
            yield Finding(
                one,
                f'"what" {times[text]} times in {words[text]} words; at most {MAX_WHAT} in 1,000',
                'a noun: "the dropped call", not "what was dropped"',
            )


def _whats(one: Sentence) -> int:
    return len(re.findall(r"(?i)\bwhat\b", one.prose))


def spelt(one: Sentence) -> Iterator[str]:
    """Yield the words of a sentence whose spelling counts, in lower case and without `'s`."""
    for token in one.prose.replace("\u2019", "'").split():
        parts = token.strip(f"{string.punctuation}\u2026").split("-")
        if not token.startswith("-") and all(map(_WORD.fullmatch, parts)):
            yield from (part.removesuffix("'s").lower() for part in parts)


@cache
def _checker() -> SpellChecker:
    return SpellChecker(distance=1)


def of_spelling(found: Iterable[Sentence], known: Collection[str]) -> Iterator[Finding]:
    """Yield the words that neither the spelling checker nor our own list knows."""
    checker = _checker()
    for one in found:
        for word in checker.unknown({*spelt(one)} - {*known}):
            yield Finding(
                one,
                f'misspells "{word}"',
                f'"{checker.correction(word) or "another word"}"; or, if it is a name or a term '
                f"of the field, a line in checks/{WORDS.name}",
            )


def findings(found: Sequence[Sentence]) -> list[Finding]:
    """Return all findings, by file and line."""
    all_ = [
        *(finding for one in found for finding in of_words(one)),
        *of_what(found),
        *of_spelling(found, WORDS.read_text().split()),
    ]
    return sorted(all_, key=lambda one: (one.sentence.path, one.sentence.line, one.rule))


def main(arguments: Iterable[str], read: Callable[[Path], Iterator[Sentence]] = sentences) -> int:
    """Print the findings in all files, or in some, and return the exit code."""
    within = [Path(one) for one in arguments] or [Path()]
    checked = list(read(ROOT))
    for path in within:
        if not any(one.path.is_relative_to(path) for one in checked):
            sys.exit(f"{path} has no sentences to check. Give a path from the project's root")
    found = [
        one
        for one in findings(checked)
        if any(one.sentence.path.is_relative_to(path) for path in within)
    ]
    for one in found:
        print(one)
    for text, count in sorted(Counter(text_of(one.sentence) for one in found).items()):
        print(f"{count:5} {text}")
    print(f"{len(found):5} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
