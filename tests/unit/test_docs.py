"""The documents: their links, and what they say about what the code says."""

import inspect
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import botocore.session
import pytest

from benchmarks import comparison
from benchmarks.comparison import BENCHMARKS
from lambdas.recommender.aws import errors, personalize
from lambdas.recommender.model import retraining
from lambdas.recommender.model.request import DEFAULT_WAIT_SECONDS
from lambdas.recommender.model.timing import CONFIRM_SECONDS, GRACE_SECONDS
from lambdas.recommender.protocol.execution import StateMachine
from lambdas.recommender.recipes import Recipe
from lambdas.recommender.vocabulary import DIGEST_LENGTH, MAX_PREFIX_LENGTH, METRICS
from local_aws import commands, report
from local_aws.personalize import Behaviour
from local_aws.personalize import service as simulated
from local_aws.personalize.behaviour import TOP_PICKS_METRICS
from local_aws.rehearsal import columns, evaluation, findings, model, sample
from operations import __main__ as operations
from operations import console
from operations.commands import status
from stacks import monitoring
from stacks.recommender import TopPicksRecommender
from stacks.settings import kinds
from stacks.settings.declarations import Settings
from stacks.settings.setting import settings_of
from stacks.synthesis import MAX_RESOURCES, MAX_TEMPLATE_BYTES
from tests.support.messages import templates
from tests.support.place import GROUP
from tests.support.shown_commands import Step, lacking, steps

ROOT = Path(__file__).parents[2]
FIRST = ROOT / "README.md"
INDEX = ROOT / "docs" / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def prose(document: Path) -> str:
    """Return a document without its code, in which nothing is a link or a heading."""
    text = re.sub(r"(?ms)^( *)```.*?^\1```$", "", document.read_text())
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Return what a document links to inside the repository: files, and anchors in them."""
    text = re.sub(r"`[^`\n]*`", "", prose(document))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield ((document.parent / path).resolve() if path else document), anchor


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings, and those of earlier names."""
    found: Counter[str] = Counter()
    made = set(re.findall(r'(?m)^<a id="([\w-]+)"></a>$', prose(document)))
    for heading in re.findall(r"(?m)^#+ (.*)$", prose(document)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
        made.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return made


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    dead = [
        f"{path}#{anchor}"
        for path, anchor in links(document)
        if not path.exists() or (anchor and anchor not in anchors(path))
    ]

    assert dead == []


def test_every_document_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [FIRST]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        waiting += [
            path for path, _ in links(document) if path.suffix == ".md" and path not in reached
        ]

    assert [path.name for path in DOCUMENTS if path not in reached] == []


def test_the_readme_is_one_page() -> None:
    assert len(FIRST.read_text().splitlines()) <= 160


def test_every_page_but_decisions_is_in_the_index() -> None:
    listed = {path for path, _ in links(INDEX)}

    assert [
        str(path.relative_to(ROOT))
        for path in DOCUMENTS
        if path not in listed and path != INDEX and path.parent.name != "adr"
    ] == []


def benchmark(what: str) -> str:
    """Return our figure in a row of the benchmarks."""
    (ours,) = re.findall(rf"(?m)^\|[^|]*\|[^|]*\| {what} \| ([^|]*) \|", BENCHMARKS.read_text())
    return str(ours)


NDCG = "normalized_discounted_cumulative_gain_at_25"
OF_SETTINGS = settings_of(Settings)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GATES_HERE = round(commands._SIX_GATES * 3600 / commands._GATE_SECONDS)
SECONDS_OF_A_DEPLOYMENT = int(benchmark("fresh clone: make deploy-local").removesuffix(" s"))


DOCS = ROOT / "docs"
REHEARSAL = DOCS / "how-to" / "rehearsal.md"
DEFAULTS = Settings(dataset_group_arn=GROUP)
OF_THE_CONSTRUCT = inspect.signature(TopPicksRecommender.__init__).parameters
CHAINS = [OF_THE_CONSTRUCT[name].default for name in ("training_gates", "sweeps")]
WAITS_55_MINUTES = DEFAULT_WAIT_SECONDS / 60 == DEFAULTS.training_gate_minutes == 55
GRACE_IS_TWO_MINUTES = GRACE_SECONDS == 120
RETRAINS_EVERY_7_DAYS = retraining.PERIOD == 7 * 86_400
AS_OBSERVED = Behaviour()
QUOTAS = (AS_OBSERVED.recommenders_per_dataset_group, AS_OBSERVED.recommenders_per_region)
QUOTAS_ARE_5_AND_15 = QUOTAS == (5, 15)
TRAINING_AS_OBSERVED = AS_OBSERVED.create_pending + AS_OBSERVED.create_in_progress
DATA_REQUIRED = (findings._INTERACTIONS_REQUIRED, findings._USERS_REQUIRED) == (1000, 25)
INTERACTIONS, ITEMS, USERS = columns.datasets(0)
PINNED_CDK = re.findall(r"(?m)^aws-cdk-lib==(\S+)", (ROOT / "requirements.txt").read_text())
(OLDEST_CDK,) = re.findall(r"aws-cdk-lib>=([\d.]+),", str(PROJECT["project"]["dependencies"]))
PINNED_CLI = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]


NUMBERS: Final[dict[str, list[tuple[str, bool]]]] = {
    "README.md": [
        (f"Version {PROJECT['project']['version']}", True),
        ("Python 3.11 or newer", PROJECT["project"]["requires-python"] == ">=3.11"),
        ("in about a minute", SECONDS_OF_A_DEPLOYMENT in range(30, 91)),
        ("a training of three hours", all("3.0 h" in what for what in comparison._RESULTS)),
        ("two Lambda functions and a state", ", 2 functions," in benchmark("the template")),
        ("eight metrics", len(METRICS) == 8),
        ("takes six seconds", commands._GATE_SECONDS == 6),
    ],
    "docs/tutorial.md": [
        ("takes six seconds", commands._GATE_SECONDS == 6),
        ("the stack has six gates", GATES_HERE == 6),
        ("(in an account 11, by default)", DEFAULTS.training_gates == 11),
        (f"If port {commands.PREFERRED_PORT} is in use", True),
        ("show three recommendations", report._RECOMMENDATIONS == 3),
        ("a gate waits 55 minutes at most", WAITS_55_MINUTES),
    ],
    "CONTRIBUTING.md": [
        ("100 % branch", PROJECT["tool"]["coverage"]["report"]["fail_under"] == 100),
        (
            "If a test takes ten minutes",
            PROJECT["tool"]["pytest"]["ini_options"]["faulthandler_timeout"] == 600,
        ),
    ],
    "docs/explanation/the-hours.md": [
        ("Each gate waits up to 55 minutes", WAITS_55_MINUTES),
        ("the deployment waits up to 55 minutes for it", WAITS_55_MINUTES),
        (
            "11 gates of 55 minutes wait ten hours and five minutes at most",
            DEFAULTS.training_gates * DEFAULTS.training_gate_minutes == 11 * 55 == 10 * 60 + 5,
        ),
        (
            "all of them wait eleven hours at most",
            (1 + DEFAULTS.sweeps) * DEFAULTS.training_gate_minutes == 11 * 60,
        ),
        ("sees it within a minute", DEFAULTS.poll_interval_seconds == 60),
        ("17.5 minutes for the deletion", AS_OBSERVED.delete / 60 == 17.5),
        ("to over an hour on MovieLens", TRAINING_AS_OBSERVED > 3600),
    ],
    "docs/explanation/limits.md": [
        ("Each attempt waits 55 minutes at most", WAITS_55_MINUTES),
        ("The rollback waits 55 minutes", WAITS_55_MINUTES),
    ],
    "docs/runbook.md": [
        ("The deployment waits 55 minutes for it", WAITS_55_MINUTES),
        ("held the recommender for 55 minutes", WAITS_55_MINUTES),
        ("`(Observed for 2 minutes.)`", GRACE_IS_TWO_MINUTES),
        ("two minutes after its creation", GRACE_IS_TWO_MINUTES),
        ("Personalize retrains every 7 days", RETRAINS_EVERY_7_DAYS),
        ("for 8 days, although", monitoring._OLD == 8 * 24),
        ("At least three lines of the observer in a row", monitoring._MISSED == 3),
        ("a call takes a second or more", monitoring._SLOW == 1000),
        ("fewer than 1000 interactions or 25 users", DATA_REQUIRED),
        (
            "Personalize allows 5 recommenders per dataset group and 15 per region",
            QUOTAS_ARE_5_AND_15
            and "5 recommenders per dataset group and 15 per region"
            in errors._HINTS["LimitExceededException"],
        ),
    ],
    "docs/reference/glossary.md": [
        ("the two minutes in which an accepted change", GRACE_IS_TWO_MINUTES),
        ("by default every 60 seconds", DEFAULTS.poll_interval_seconds == 60),
    ],
    "docs/architecture.md": [
        ("six if a read may be stale", CONFIRM_SECONDS == 6),
        ("two minutes, the *grace*", GRACE_IS_TWO_MINUTES),
        ("`begin` works alone for four minutes", round(sum(StateMachine.pauses) / 60) == 4),
    ],
    "docs/explanation/cost.md": [
        ("in full every seven days", RETRAINS_EVERY_7_DAYS),
        (
            "from 7 to 20 o'clock on five days a week, AWS bills 65 of 168 hours",
            (5 * (20 - 7), 7 * 24) == (65, 168),
        ),
    ],
    "docs/how-to/quality-gate.md": [
        (f"`coverage` {TOP_PICKS_METRICS['coverage']}", True),
        (f"`{NDCG}` {TOP_PICKS_METRICS[NDCG]}", True),
        ("retrains every seven days", RETRAINS_EVERY_7_DAYS),
    ],
    "docs/how-to/dataset-group.md": [
        ("retrains every seven days", RETRAINS_EVERY_7_DAYS),
        (f"At most {findings._ITEMS_CONSIDERED:,} items are considered", True),
    ],
    "docs/reference/permissions.md": [
        ("at least 1000 interactions, and 25 users with two each", DATA_REQUIRED),
        (f"plus {DIGEST_LENGTH} characters", True),
        (f"Only the first {MAX_PREFIX_LENGTH} characters", True),
    ],
    "docs/how-to/consumers.md": [
        (
            "at most 50 items with metadata, and at most 500 without",
            (simulated._MAX_RESULTS_WITH_METADATA, simulated._MAX_RESULTS) == (50, 500),
        ),
    ],
    "docs/how-to/hours-of-service.md": [
        ("Leave two hours at least between a start and a stop", kinds._LEAST_HOURS == 2),
        (
            "assumes 10 to 20 minutes for each",
            all(600 <= one <= 1200 for one in (AS_OBSERVED.start, AS_OBSERVED.stop)),
        ),
    ],
    "docs/how-to/native-type.md": [
        ("10 hours by default", DEFAULTS.max_training_hours == 10),
        (f"this app pins aws-cdk-lib {PINNED_CDK[0]}", True),
    ],
    "docs/how-to/local-play.md": [
        (f"The local AWS listens on port {commands.PREFERRED_PORT}", True),
        ("the default of 0.3", float(DEFAULTS.exploration_weight) == 0.3),
    ],
    "docs/reference/operations.md": [
        (
            "| 2 | the stack does not exist",
            (console.FINE, console.NOT_FINE, console.CANNOT_TELL) == (0, 1, 2),
        ),
        (f"{operations._INTERRUPTED} is an interruption by Ctrl-C", True),
        (f"[--interval {operations._INTERVAL:.0f}]", True),
        ("It waits up to two minutes for the change set", status._REVIEW_SECONDS == 120),
        (
            "Later polls try again for two minutes",
            (console._TRIES - 1) * console._PAUSE_SECONDS // 60 == 2,
        ),
        ("and one a minute", console._QUIET_SECONDS == 60),
    ],
    "docs/internals/benchmarks.md": [
        ("deletion in AWS's example took 17.5 minutes", AS_OBSERVED.delete / 60 == 17.5),
    ],
    "docs/how-to/choosing-settings.md": [
        ("keep 10, the default", DEFAULTS.max_training_hours == 10),
        ("The maximum is 24", "24 at most" in OF_SETTINGS["max_training_hours"].kind.allowed),
        (f"So 5 is billed as {5 * 3600:,} recommendations", True),
        ("an hour on MovieLens", TRAINING_AS_OBSERVED > 3600),
        (
            "took about 15 minutes",
            (AS_OBSERVED.update_pending + AS_OBSERVED.update_in_progress) / 60 == 15,
        ),
    ],
    "docs/how-to/own-app.md": [
        ("11 each", CHAINS == [DEFAULTS.training_gates, DEFAULTS.sweeps] == [11, 11]),
        ("five and a half hours, not ten", CHAINS[0] * 30 / 60 == 5.5),
        (f"{OLDEST_CDK}, the oldest that works", True),
        (f"npm install aws-cdk@{PINNED_CLI}", True),
        (f"tried with aws-cdk-lib {PINNED_CDK[0]}", True),
    ],
    "docs/how-to/rehearsal.md": [
        (
            f"for more than {model.MOST_ITEMS:,} items it is the same regression in "
            f"{model._DIRECTIONS} directions",
            True,
        ),
        (
            f"more than {evaluation.SPREAD_ITEMS:,} items or {evaluation.SPREAD_INTERACTIONS:,} "
            "interactions, the rehearsal trains once",
            True,
        ),
        ("leaves out a tenth of the users", evaluation.SPLITS == 10),
        (
            f"{INTERACTIONS.most_custom} at most; these, `EVENT_VALUE` and the event types are "
            f"{INTERACTIONS.most_event_types} at most",
            True,
        ),
        (f"`PRODUCT_DESCRIPTION` | {ITEMS.most_custom} at most", True),
        (f"`SUBSCRIPTION_MODEL` | {USERS.most_custom} at most", True),
        (
            f"{sample._USERS} users, each with a taste for two of six genres and one of five moods",
            (len(sample._WORDS), len(sample._MOODS)) == (6, 5),
        ),
        (
            "180 titles with a long tail, seven of them new",
            180 // sample._NEW == 7
            and len((sample.FOLDER / "items.csv").read_text().splitlines()) == 1 + 180,
        ),
    ],
    "docs/how-to/rows.md": [
        ("5 recommenders for each dataset group and 15 for each region", QUOTAS_ARE_5_AND_15),
        (f"A stack has {MAX_RESOURCES} resources at most", True),
        ("its template a million bytes", MAX_TEMPLATE_BYTES == 1_000_000),
    ],
    "docs/how-to/upgrading.md": [
        (f"an aws-cdk-lib of at least {OLDEST_CDK}", True),
    ],
    "docs/how-to/monitoring.md": [
        ("no retraining has begun for 8 days", monitoring._OLD == 8 * 24),
        ("Personalize retrains every 7 days", RETRAINS_EVERY_7_DAYS),
        (f"above {retraining.PERIOD / 3600:.0f} only for", True),
        ("at least three missing observations", monitoring._MISSED == 3),
        ("an average of a second or more", monitoring._SLOW == 1000),
        ("periods of five minutes", monitoring._FIVE_MINUTES.to_minutes() == 5),
        ("once an hour (`observation", Settings.observation_interval_minutes == 60),
    ],
}
"""Texts of pages, by page, each with whether its number is that of the code."""


@pytest.mark.parametrize(
    ("page", "text", "holds"),
    [(page, text, holds) for page, rows in NUMBERS.items() for text, holds in rows],
)
def test_a_number_on_a_page_is_that_of_the_code(page: str, text: str, *, holds: bool) -> None:
    assert holds
    assert text in " ".join((ROOT / page).read_text().split())


PAGE = """\
```sh
make one
```

Text.

```sh
make two
```

Text.

```text exit code 2
begins ...
  and   ends
```
"""


def test_a_page_has_a_step_for_each_block_of_commands() -> None:
    assert steps(PAGE) == [
        Step("make one\n"),
        Step("make two\n", "begins ...\n  and   ends\n", exit_code=2),
    ]


def test_an_output_with_an_unknown_remark_is_refused() -> None:
    with pytest.raises(ValueError, match="exit code 1"):
        steps(PAGE.replace("exit code 2", "fails"))


@pytest.mark.parametrize(
    ("output", "part"),
    [
        ("begins here\nand ends there\n", ""),
        ("begins\nand\nends", ""),
        ("and ends, then begins", "and ends"),
        ("begins, and does not end", "and ends"),
    ],
)
def test_a_shortened_output_is_compared_part_by_part_in_order(output: str, part: str) -> None:
    assert lacking("begins ...\n  and   ends\n", output) == part


def test_every_command_of_the_tutorial_that_is_not_an_installation_shows_its_output() -> None:
    silent = [step.commands for step in steps(TUTORIAL.read_text()) if not step.output]

    assert silent == ["make setup\n. .venv/bin/activate\n"]


def test_what_a_document_names_is_there() -> None:
    """Files and folders of the repository, as far as they are written in full."""
    folders = "app\\.py|benchmarks|checks|docs|lambdas|local_aws|stacks|tests|\\.github|\\.ci"
    named = {
        (document.name, name.rstrip("/"))
        for document in DOCUMENTS
        if document.name not in ("CHANGELOG.md", "mutants.md")
        for name in re.findall(rf"`((?:{folders})(?:/[\w./-]*)?)`", document.read_text())
    }

    assert named
    assert [one for one in sorted(named) if not (ROOT / one[1]).exists()] == []


def test_what_the_readme_says_of_a_setting_is_of_one() -> None:
    section = prose(FIRST).partition("## Settings")[2].partition("\n## ")[0]
    named = re.findall(r"(?m)^\| `(\w+)` \|", section)

    assert len(named) == 6
    assert {*named} <= {one.name for one in fields(Settings)}


@pytest.mark.parametrize("setting", [one.name for one in fields(Settings)])
def test_what_a_change_of_a_setting_does_is_said(setting: str) -> None:
    said = re.findall(r"`([a-z_*]+)`", prose(ROOT / "docs" / "reference" / "changes.md"))

    assert any(fnmatchcase(setting, pattern) for pattern in said if pattern != "*")


# -- the runbook and the code ----------------------------------------------------------------------


def looked_up() -> dict[str, re.Pattern[str]]:
    """Return the messages in the first column of the runbook, `...` being anything."""
    messages = prose(RUNBOOK).partition("\n## Messages\n")[2]
    rows = re.findall(r"(?m)^\| (`.*?) \|", messages)
    spans = [span for row in rows for span in re.findall(r"`([^`]+)`", row)]
    return {span: re.compile(".*".join(map(re.escape, span.split("...")))) for span in spans}


OTHERS = {
    "Setting ...: got ...; allowed: ...": "stacks/settings/errors.py",
    "Property ...: got ...": "stacks/settings/errors.py",
    "Unknown setting ...": "stacks/settings/errors.py",
    "Another command is at work in ...": "local_aws/__main__.py",
    "@top-picks/recommender:region": "stacks/synthesis.py",
    "...:exported": "stacks/synthesis.py",
    "...:removal-policy": "stacks/synthesis.py",
}
"""Messages that are not the functions', and where they are from."""
CLOUDFORMATION = {
    "... did not stabilize",
    "Modifying service token is not allowed.",
    "Custom Resource failed to stabilize in expected time",
}


def test_every_message_of_the_functions_is_in_the_runbook() -> None:
    patterns = looked_up().values()

    assert [
        text for text in sorted(templates()) if not any(one.search(text) for one in patterns)
    ] == []


def test_every_message_in_the_runbook_is_one() -> None:
    said = {*templates(), *errors._HINTS, *errors._HINTS.values()}
    said |= {personalize.hint(recipe) for recipe in Recipe}
    said |= {"... is CREATE FAILED: ..."}  # of fewer words than the code's own

    unknown = [
        span
        for span, pattern in looked_up().items()
        if not any(pattern.search(text) for text in said)
    ]

    assert {*unknown} == {*OTHERS, *CLOUDFORMATION}


@pytest.mark.parametrize("hint", [*errors._HINTS, *map(personalize.hint, Recipe)])
def test_every_hint_is_in_the_runbook(hint: str) -> None:
    assert any(pattern.search(hint) for pattern in looked_up().values())


def test_whoever_follows_the_runbook_may_make_its_calls() -> None:
    told = [RUNBOOK, *(ROOT / "lambdas").rglob("*.py"), *(ROOT / "operations").rglob("*.py")]
    calls = {
        command
        for document in told
        for command in re.findall(
            r"aws (?:cloudformation|personalize) (?!wait )([a-z-]+)", document.read_text()
        )
    }
    reference = ROOT / "docs" / "reference"
    (row,) = re.findall(
        r"^\| you, for the \[runbook\].*$", (reference / "permissions.md").read_text(), re.M
    )
    allowed = re.findall(r"[A-Z][A-Za-z]+", row + (reference / "operations.md").read_text())

    assert {"describe-stack-events", "untag-resource"} <= calls
    assert {call.title().replace("-", "") for call in calls} <= set(allowed)


def test_every_state_in_which_a_stack_can_be_stuck_is_in_the_runbook() -> None:
    """Of those that CloudFormation knows; nothing is imported here."""
    model = botocore.session.get_session().get_service_model("cloudformation")
    stuck = {
        status
        for status in model.shape_for("StackStatus").metadata["enum"]
        if status.endswith(("_FAILED", "ROLLBACK_COMPLETE")) and not status.startswith("IMPORT_")
    }

    assert {"DELETE_FAILED", "ROLLBACK_COMPLETE"} <= stuck
    assert [status for status in sorted(stuck) if status not in prose(RUNBOOK)] == []


def test_every_make_target_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {
        (document.name, target)
        for document in DOCUMENTS
        for target in re.findall(
            r"(?:`|^)make ([a-z][a-z0-9-]*)", document.read_text(), re.MULTILINE
        )
    }

    assert named
    assert [one for one in sorted(named) if f"\n{one[1]}:" not in makefile] == []


def test_no_document_speaks_of_one_machine() -> None:
    workflows = [*(ROOT / ".github").rglob("*.yml"), *(ROOT / "docs").rglob("*.yml")]

    assert workflows
    assert [
        path.name
        for path in [*DOCUMENTS, *workflows]
        if re.search(r"/(work|home|tmp)/", path.read_text())
    ] == []


def test_time_memory_and_quality_of_the_rehearsal_are_those_of_the_benchmarks() -> None:
    measured = (DOCS / "internals" / "benchmarks.md").read_text()
    page = REHEARSAL.read_text()
    (bounds,) = re.findall(r"in less than (\d+) s and with less than ([\d,]+) MiB", page)
    seconds, mebibytes = (int(bound.replace(",", "")) for bound in bounds)
    rows = re.findall(r"(?m)^\| ([\d,]+) \| .*? \| (\d.* ± [\d.]+) \| (\d.*) \|$", page)

    assert len(rows) == 2
    for items, ours, theirs in rows:
        begin = f"| a million interactions, {items} items: "
        (time,) = re.findall(rf"{re.escape(begin)}read.*? \| ([\d.]+) s:", measured)
        (memory,) = re.findall(rf"{re.escape(begin)}memory of all that \| (\d+) MiB \|", measured)
        (quality,) = re.findall(rf"{re.escape(begin)}NDCG.*", measured)
        assert float(time) < seconds
        assert int(memory) < mebibytes
        assert all(one in quality for one in (ours, *theirs.split(", ")))
