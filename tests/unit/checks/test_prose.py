"""Each rule of checks.prose finds a sentence that breaks it, and lets a plain one pass."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from spellchecker import SpellChecker

from checks import prose
from checks.prose import AVOIDED, findings, main, of_spelling
from checks.sentences import Kind, Sentence, of_code, of_page, sentences
from tests.support.messages import templates

PAGE = Path("docs/page.md")
MODULE = Path("lambdas/module.py")


def page(text: str, path: Path = PAGE) -> list[Sentence]:
    return list(of_page(text, path))


def code(text: str) -> list[Sentence]:
    return list(of_code(text, MODULE))


def rules(text: str) -> list[str]:
    return [one.rule for one in findings(page(text))]


# -- the rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("What was dropped is not stored.", 'begins with "What"'),
        ("# What it costs", 'begins with "What"'),
        ("It stops. **What** is left is billed.", 'begins with "What"'),
        ("| a |\n| --- |\n| what was dropped |", 'begins with "What"'),
        ("- one\n- Of a stack that is stuck it reads the events.", 'begins with "Of a"'),
        ("Of an update it knows nothing.", 'begins with "Of a"'),
        ("The table is made anew.", 'has "anew"'),
        ("It stands beside the code.", 'has "beside"'),
        ("The role goes with the stack.", 'has "goes with"'),
        ("The old configuration is in\nforce.", 'has "in force"'),
        ("The configuration asked for is another.", 'has "asked for"'),
        ("The function asks the service.", "asks a service"),
        ("It asks CloudFormation.", "asks a service"),
        ("It is not the wanted one.", 'has "wanted"'),
        ("It waits until the recommender is there.", 'has "there" for "exists"'),
        ("The first look finds nothing.", 'has "look" as a noun'),
        ("It misses three looks.", 'has "look" as a noun'),
        ("A function that looks once an hour.", 'has "look" as a verb'),
        ("The function looks again.", 'has "look" as a verb'),
        ("Somebody changed it.", "does not name the actor"),
        ("The recomender trains.", 'misspells "recomender"'),
        ("- The hand-maade one's", 'misspells "maade"'),
        ("Réglages: the recorde\u2019s end", 'misspells "recorde"'),
        (f"{'word ' * 31}.", "31 words; at most 30"),
    ],
)
def test_a_sentence_that_breaks_a_rule_is_found(text: str, rule: str) -> None:
    assert rules(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "Dropped calls are not stored.",
        "If a stack is stuck, the command reads its events, besides.",
        "There is no such recommender, and there are no others.",
        "A list of a stack's recommenders.",
        "Look up the message. It looks like this one. One looks for the other.",
        "It says what it does.",
        "They don't read the service's `recomender`s, users' names and DescribeRecomender.",
        "It reads recomender_name, recomender.arn, s3rv and --recomender.",
        "It is (https://example.com/recomender).",
        f"{'word ' * 30}.",
        f"{'word ' * 30}.\n\n{'word ' * 30}.",
        f"{'word ' * 20}. {'Word ' * 20}",
        f"`{'word ' * 40}` is one word.",
    ],
)
def test_a_plain_sentence_passes(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize("way", AVOIDED, ids=lambda way: way.rule)
def test_the_better_way_keeps_all_rules(way: prose.Avoided) -> None:
    assert rules(way.better) == []


@pytest.mark.parametrize(
    ("words", "times", "allowed"),
    [(10, 1, True), (10, 2, False), (1000, 3, True), (990, 3, False), (2000, 7, False)],
)
def test_a_text_may_have_what_three_times_in_a_thousand_words(
    words: int, times: int, allowed: bool
) -> None:
    texts = ["Say what."] * times + ["Some word."] * (words // 2 - times)

    found = findings(page("\n\n".join(texts)))

    assert len(found) == (0 if allowed else times)
    assert all(one.sentence.text == "Say what." for one in found)


def test_what_is_counted_for_each_page_and_for_the_docstrings_of_a_folder() -> None:
    once = '"""Say what."""'

    assert findings([*page("Say what."), *page("Say what.", Path("docs/other.md"))]) == []
    assert findings([*page("Say what."), *code(once)]) == []
    assert len(findings([*code(once), *of_code(once, Path("lambdas/other.py"))])) == 2


# -- what is prose ---------------------------------------------------------------------------------

NOT_PROSE = "What is wanted beside it is there anew"


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{NOT_PROSE}\n```",
        f"- one\n\n  ```console\n  {NOT_PROSE}\n  ```",
        f"One:\n\n    {NOT_PROSE}",
        f"It prints `{NOT_PROSE}`.",
        f"It prints ``{NOT_PROSE}``.",
        f"| a |\n| --- |\n| `{NOT_PROSE}` |",
        f'AWS says: "{NOT_PROSE}."',
        f'AWS says: "{NOT_PROSE[:10]}\n{NOT_PROSE[11:]}", and no more.',
        f"AWS says: “{NOT_PROSE}”.",
        f"<!-- {NOT_PROSE} -->",
        f"It is <!-- {NOT_PROSE} --> one.",
        "[This page](https://example.com/what/beside/anew).",
        "It is at https://example.com/what/beside/anew.",
    ],
)
def test_code_quotations_and_addresses_are_no_prose(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "reliability.md",
            f"<!-- scenarios -->\n| a |\n|---|\n| {NOT_PROSE} |\n<!-- /scenarios -->",
        ),
        (
            "benchmarks.md",
            f"<!-- the table: written by make bench -->\n\n| a |\n|---|\n| {NOT_PROSE} |\n\n"
            "<!-- the end of the table -->",
        ),
        ("dependencies.md", f"| {NOT_PROSE} |\n|---|"),
    ],
)
def test_of_a_generated_page_only_the_table_is_no_prose(name: str, text: str) -> None:
    (one,) = page(f"{text}\n\nThe end.", Path("docs") / name)

    assert (one.text, one.line) == ("The end.", text.count("\n") + 3)
    assert page(text, Path("docs/other.md"))


def test_of_the_changelog_released_versions_are_not_read() -> None:
    text = "# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.0 - 2026-11-01\n\n- What was new.\n"

    assert [one.text for one in page(text, Path("CHANGELOG.md"))] == [
        "Changelog",
        "Unreleased",
        "New.",
    ]


# -- sentences -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("One (it is). `two` is code.", ["One (it is).", "`two` is code."]),
        ("One, e.g. Two, or 3.11, or a.b of x.md.", ["One, e.g. Two, or 3.11, or a.b of x.md."]),
        ('It says "One. Two." Three.', ['It says "One. Two."', "Three."]),
        ("- One\n- two\n  lines\n", ["One", "two lines"]),
        ("| a | b |\n|---|---|\n| One.<br>Two | *three* |", ["a", "b", "One.", "Two", "three"]),
        ("**One.** Two [three](four.md).", ["One.", "Two three."]),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert [one.text for one in page(text)] == expected


def test_a_finding_has_the_line_that_its_sentence_begins_on() -> None:
    text = "# One\n\nTwo. Three\nfour. Five\n\n| a |\n|---|\n| six |\n| seven |\n"

    assert [(one.line, one.text) for one in page(text)] == [
        (1, "One"),
        (3, "Two."),
        (3, "Three four."),
        (4, "Five"),
        (6, "a"),
        (8, "six"),
        (9, "seven"),
    ]


MODULE_TEXT = '''"""Do one thing.

    python -m what.is.wanted

And more.
"""

LIMIT = 1
"""The limit."""


def f(name: str) -> str:
    """Return it.

    Args:
        name: The name, which
            is long.
        what: None.
    """
    short = "of three words"
    films = "What is Wanted|There and Then|Anew"
    program = "import sys\\nprint(sys.wanted, sys.there)"
    return f"{name} is no name. Choose {name!r} or {', '.join(short)}" "."
'''


def test_docstrings_and_messages_are_read() -> None:
    assert [(one.kind, one.line, one.text) for one in code(MODULE_TEXT)] == [
        (Kind.DOCSTRING, 1, "Do one thing."),
        (Kind.DOCSTRING, 5, "And more."),
        (Kind.DOCSTRING, 9, "The limit."),
        (Kind.DOCSTRING, 13, "Return it."),
        (Kind.DOCSTRING, 16, "`name`: The name, which is long."),
        (Kind.DOCSTRING, 18, "`what`: None."),
        (Kind.MESSAGE, 23, "... is no name."),
        (Kind.MESSAGE, 23, "Choose ... or ...."),
    ]


@pytest.fixture(scope="module")
def everything() -> list[Sentence]:
    return list(sentences(prose.ROOT))


def test_every_message_of_the_functions_is_read(everything: list[Sentence]) -> None:
    read = " ".join(one.text for one in everything if one.kind is Kind.MESSAGE)

    long = [" ".join(one.split()) for one in templates() if len(one.split()) >= 4]
    assert long
    assert [one for one in long if one not in read] == []


def test_no_page_is_excused(everything: list[Sentence]) -> None:
    pages = {one.path for one in everything if one.kind is Kind.PAGE}

    assert {Path("README.md"), Path("examples/README.md"), Path("docs/runbook.md")} <= pages
    assert {path.relative_to(prose.ROOT) for path in prose.ROOT.glob("docs/**/*.md")} <= pages


@pytest.mark.parametrize("folder", ["lambdas", "stacks", "operations", "local_aws", "checks"])
def test_docstrings_of_each_folder_are_read(everything: list[Sentence], folder: str) -> None:
    assert [one for one in everything if one.path.parts[0] == folder and one.kind == "docstring"]


# -- the command -----------------------------------------------------------------------------------


def reader(*texts: str) -> Callable[[Path], Iterator[Sentence]]:
    return lambda _: (
        one for n, text in enumerate(texts) for one in of_page(text, Path(f"docs/{n}.md"))
    )


def test_findings_are_printed_with_place_rule_sentence_and_a_better_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([], reader("One.\n\nIt is made `so`\nanew.")) == 1

    assert capsys.readouterr().out == (
        'docs/0.md:3: has "anew"\n'
        "    It is made `so` anew.\n"
        '    Better: "again"\n'
        "    1 docs/0.md\n"
        "    1 findings\n"
    )


def test_no_finding_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], reader("One.")) == 0
    assert capsys.readouterr().out == "    0 findings\n"


@pytest.mark.parametrize(("within", "code"), [("docs", 1), ("docs/1.md", 1), ("docs/0.md", 0)])
def test_some_files_can_be_checked(within: str, code: int) -> None:
    assert main([within], reader("One.", "It is made anew.")) == code


def test_a_path_without_sentences_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"doc/1\.md"):
        main(["docs", "doc/1.md"], reader("One."))


def test_a_word_of_our_own_list_is_no_misspelling() -> None:
    found = page("The recomender trains.")

    assert len([*of_spelling(found, [])]) == 1
    assert [*of_spelling(found, ["recomender"])] == []


def test_our_own_words_are_sorted_and_unknown_to_the_checker() -> None:
    words = prose.WORDS.read_text().splitlines()

    assert words == sorted({*words})
    assert {*words} == SpellChecker().unknown(words)


def test_our_own_words_are_used(everything: list[Sentence]) -> None:
    used = {word for one in everything for word in prose.spelt(one)}

    assert sorted(set(prose.WORDS.read_text().split()) - used) == []
