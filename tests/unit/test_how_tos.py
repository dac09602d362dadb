"""The how-to pages: their commands, settings and code exist, and their numbers are the code's."""

import ast
import importlib.util
import inspect
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest
from aws_cdk import App
from botocore import xform_name

import local_aws.__main__
import operations.__main__
from lambdas.recommender import vocabulary as v
from lambdas.recommender.model.config import Config
from lambdas.recommender.model.quality import QualityGate
from lambdas.recommender.model.request import DEFAULT_WAIT_SECONDS
from lambdas.recommender.recipes import INTERACTIONS, Recipe
from local_aws.personalize import Behaviour
from local_aws.rehearsal import columns, counted, findings
from local_aws.rehearsal.recipes import STAND_INS
from stacks.monitoring import RecommenderMonitoring
from stacks.properties import MonitoringProperties, RecommenderProperties, ServiceProperties
from stacks.recommender import DomainRecommender, TopPicksRecommender
from stacks.service import RecommenderService
from stacks.settings import from_context, weekly
from stacks.settings.context import parse
from stacks.settings.declarations import PipelineSettings, Settings
from tests.support.place import GROUP

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "how-to"
PAGES: Final = {page.name: page.read_text() for page in sorted(FOLDER.glob("*.md"))}
SCHEMAS: Final = "dataset-group.md"


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language, without their indentation."""
    return [
        inspect.cleandoc(block)
        for block in re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```$", text)
    ]


def of_pages(language: str) -> list[Any]:
    """Return the code blocks of all pages in a language, as parameters of a test."""
    return [
        pytest.param(block, id=f"{name} {number}")
        for name, text in PAGES.items()
        for number, block in enumerate(blocks(text, language), start=1)
    ]


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of_pages("json"))
def test_json_of_a_how_to_is_context_that_the_app_accepts(block: str) -> None:
    given = json.loads(block if block.startswith("{") else f"{{{block}}}")
    if {"fields", "Statement", "Effect"} & given.keys():
        return  # a schema of Personalize, a policy, or a statement of one
    context = given.get("context", given)
    if "pipeline" in context:
        context = {"environments": {"dev": {"dataset_group_arn": GROUP}}, **context}
    if "environments" in context:
        assert from_context(App(context=context).node).environments
        return
    ours = {key: value for key, value in context.items() if not key.startswith("@")}
    assert parse({"dataset_group_arn": GROUP, **ours})


KNOWN: Final = {
    *(one.name for one in fields(Settings)),
    *(one.name for one in fields(PipelineSettings)),
    *(one.name for one in fields(RecommenderProperties)),
    *(one.name for one in fields(ServiceProperties)),
    *(one.name for one in fields(MonitoringProperties)),
    *v.METRICS.values(),
    *(one.name for one in fields(Behaviour)),
}
"""Names with an underscore that a page may use: settings, properties, metrics and faults."""
OTHERS: Final = {
    "add_arn_parameter",
    "add_override",
    "aws_cdk",
    "cross_region_references",
    "default_stack_synthesizer",
    "exclude_resource_types",
    "export_name",
    "from_arn_parameter",
    "local_aws",
    "model_metrics",
    "node_modules",
    "own_dataset_group",
    "start_page",
    "recommender_arn",
    "removal_policy",
    "time_zone",
    "top_picks_recommender",
}
"""Methods, attributes, folders, and properties of the CDK."""


def test_every_setting_that_a_how_to_names_exists() -> None:
    named = {
        (page, name)
        for page, text in PAGES.items()
        for span in re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^ *```.*?^ *```$", "", text))
        for name in re.findall(r"(?<![\w./<-])[a-z]+(?:_[a-z0-9]+)+(?![\w/*-])", span)
    }

    assert named
    assert sorted(one for one in named if one[1] not in KNOWN | OTHERS) == []


# -- commands --------------------------------------------------------------------------------------

_CLI: Final = json.loads(
    (ROOT / "node_modules" / "aws-cdk" / "lib" / "cli" / "cli-type-registry.json").read_text()
)
_AWS_CLI: Final = {"output", "profile", "query", "region"}
"""Options of the AWS CLI itself."""
_CUSTOMIZED: Final = {("s3", "cp"), ("cloudformation", "wait"), ("logs", "tail")}
"""Commands of the AWS CLI that are no operation of a service."""
_RENAMED: Final = {("sns", "subscribe"): {"notification-endpoint"}}
"""Options of the AWS CLI with another name than the operation's member (its argrename.py)."""
_OF_THE_SYSTEM: Final = {"cat", "export", "git", "npm", "pip", "python3"}


def lines(text: str) -> Iterator[str]:
    """Yield the commands of a page: of its blocks, and those that stand in a sentence."""
    for block in blocks(text, "sh"):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    for span in re.findall(r"`((?:npx|aws|python|make|L) [^`]+)`", prose):
        yield " ".join(span.split())


def as_in_the_repository(command: str) -> str:
    """Write a command of the installed package as it is typed here."""
    command = command.replace("top-picks-local run cdk ", "npx cdk ")
    command = re.sub(r"\btop-picks-local(?= )", "python -m local_aws", command)
    return re.sub(r"\btop-picks(?= )", "python -m operations", command)


COMMANDS: Final = sorted({line for text in PAGES.values() for line in lines(text) if line})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_how_to_exists_with_its_options(command: str) -> None:
    command = re.sub(r"^L\(\).*|^\w+=\S+( |$)", "", command).replace(" <", " ")
    command = re.sub(r"^L ", "python -m local_aws ", command).partition(" | ")[0]
    command = as_in_the_repository(command)
    command = command.removesuffix(" || true")
    match command.split():
        case []:
            return
        case ["aws", *_]:
            _check_aws(command)
        case ["npx", "cdk", *arguments]:
            _check_cdk(arguments)
        case ["make", target, *_]:
            assert f"\n{target}:" in (ROOT / "Makefile").read_text()
        case [("python" | ".venv/bin/python"), "-m", module, *_]:
            _check_module(module, shlex.split(command)[3:])
        case [program, *_]:
            assert program in _OF_THE_SYSTEM


def _check_aws(command: str) -> None:
    """Check all commands of the AWS CLI on a line, of which one may be an argument of another."""
    session = botocore.session.get_session()
    allowed = set(_AWS_CLI)
    for service, operation in re.findall(r"\baws ([a-z0-9-]+) ([a-z-]+)", command):
        if (service, operation) in _CUSTOMIZED:
            allowed |= set(re.findall(r"--([a-z-]+)", command))
            continue
        allowed |= _RENAMED.get((service, operation), set())
        model = session.get_service_model(service)
        by_command = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(by_command[operation]).input_shape
        allowed |= {xform_name(member, "-") for member in shape.members} if shape else set()
    assert set(re.findall(r"(?<= --)[a-z-]+", command)) <= allowed


def _check_cdk(arguments: list[str]) -> None:
    if not arguments or arguments == ["--version"]:
        return
    name = {"ls": "list"}.get(arguments[0], arguments[0])
    known = {**_CLI["globalOptions"], **_CLI["commands"][name].get("options", {})}
    given = {one.partition("=")[0] for one in arguments if re.match(r"--[a-z]", one)}
    unknown = {option for option in given if option.removeprefix("--") not in known}
    assert {one for one in unknown if one.removeprefix("--no-") not in known} == set()


def _check_module(module: str, arguments: list[str]) -> None:
    mains = {"local_aws": local_aws.__main__, "operations": operations.__main__}
    if module not in mains:
        assert importlib.util.find_spec(module)
        return
    parser = mains[module]._parser()
    match arguments:
        case []:
            return
        case [_]:
            assert re.search(rf"(?m)^    {arguments[0]}\b", parser.format_help())
            return
        case ["cdk", *others]:
            _check_cdk(others)
        case ["faults", *assignments]:
            _check_faults(assignments)
        case ["run", "python", "-m", inner, *others]:
            _check_module(inner, others)
    parser.parse_args(arguments)


def _check_faults(assignments: list[str]) -> None:
    given = dict(one.split("=", 1) for one in assignments if one != "reset")
    values = {name: Behaviour.value_of(name, text) for name, text in given.items()}
    assert Behaviour.from_json(json.dumps(values))


@pytest.mark.parametrize("row", re.findall(r"(?m)^\| (`\w+=.*?) \|", PAGES["local-play.md"]))
def test_a_fault_of_the_table_can_be_set(row: str) -> None:
    for span in re.findall(r"`([^`]+)`", row):
        _check_faults(shlex.split(span))


def test_each_page_with_commands_says_how_to_type_them() -> None:
    typed = {name for name, text in PAGES.items() if blocks(text, "sh")} - {"rehearsal.md"}
    says = {
        name
        for name, text in PAGES.items()
        if "Commands are for " in " ".join(text.partition("\n## ")[0].split())
    }

    assert typed - says == set()


# -- Python ----------------------------------------------------------------------------------------

_CONSTRUCTS: Final[Mapping[str, Any]] = {
    "DomainRecommender": DomainRecommender,
    "TopPicksRecommender": TopPicksRecommender,
    "RecommenderMonitoring": RecommenderMonitoring,
    "RecommenderService": RecommenderService,
}
_VARIABLES: Final = {
    "recommender": DomainRecommender,
    "trending": DomainRecommender,
    "monitoring": RecommenderMonitoring,
    "Recipe": Recipe,
}
"""What the pages call their constructs."""


@pytest.mark.parametrize("block", of_pages("python"))
def test_python_of_a_how_to_uses_what_the_constructs_have(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        match node:
            case ast.Call(func=ast.Name(id=name), keywords=keywords) if name in _CONSTRUCTS:
                _takes(_CONSTRUCTS[name].__init__, keywords)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=method), keywords=keywords
            ) if name in _CONSTRUCTS:
                _takes(getattr(_CONSTRUCTS[name], method), keywords)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="runtime"), attr=method), keywords=keywords
            ):
                model = botocore.session.get_session().get_service_model("personalize-runtime")
                by_method = {xform_name(one): one for one in model.operation_names}
                shape = model.operation_model(by_method[method]).input_shape
                assert shape and {one.arg for one in keywords} <= shape.members.keys()
            case ast.Attribute(value=ast.Name(id=variable), attr=attribute) if (
                variable in _VARIABLES
            ):
                construct = _VARIABLES[variable]
                made = inspect.getsource(construct)
                assert hasattr(construct, attribute) or f"self.{attribute} = " in made


def _takes(function: Any, keywords: list[ast.keyword]) -> None:
    assert {one.arg for one in keywords} <= inspect.signature(function).parameters.keys()


# -- numbers ---------------------------------------------------------------------------------------


def test_the_requirements_of_data_are_those_that_the_rehearsal_checks() -> None:
    rows = {
        subject: numbers
        for subject, *numbers in re.findall(
            r"(?m)^\| ([\w ]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGES["dataset-group.md"]
        )
    }

    assert rows == {
        "interactions": [
            str(findings._INTERACTIONS_REQUIRED),
            f"{findings._INTERACTIONS_RECOMMENDED:,}",
        ],
        "users with two interactions or more": [
            str(findings._USERS_REQUIRED),
            str(findings._USERS_RECOMMENDED),
        ],
    }


def test_the_table_of_recipes_is_that_of_the_code() -> None:
    rows = dict(re.findall(r"(?m)^\| `(aws-vod-\S+)` (\| .*\| (?:yes|no) \|)$", PAGES["rows.md"]))
    advised = re.findall(r"(?m)^\| `(aws-vod-\S+)` \| (?:for|after|on) ", PAGES["rows.md"])

    assert rows == {str(recipe): _row(recipe) for recipe in Recipe}
    assert advised == [*Recipe]


def _row(recipe: Recipe) -> str:
    facts = recipe.facts
    datasets = [
        f"{how}: {', '.join(one.capitalize() for one in kinds if one != INTERACTIONS)}"
        for how, kinds in (("required", facts.required), ("optional", facts.optional))
        if {*kinds} - {INTERACTIONS}
    ]
    cells = (
        "; ".join(datasets) or "none",
        f"`{facts.events}`" if facts.events else "any",
        ", ".join(f"`{one}`" for one in facts.parameters)
        or "none; `userId` with a filter by the user",
        "yes" if facts.explores else "no",
        "yes" if facts.shows_metrics else "no",
    )
    return f"| {' | '.join(cells)} |"


def test_the_table_of_recipes_has_the_stand_ins_and_their_metrics() -> None:
    page = PAGES["rehearsal.md"]
    rows = re.findall(r"(?m)^\| `(aws-vod-[\w-]+)` \| .* \| (eight|n/a) \|$", page)
    watched = " and ".join(
        f"*{one.title.format(you='you', item='X')}*"
        for one in STAND_INS.values()
        if one.event_type == "Watch"
    )

    assert rows == [
        (recipe, "n/a" if one.unmeasured else "eight") for recipe, one in STAND_INS.items()
    ]
    assert f"the newest {counted._WINDOW} days of the data" in page
    assert f"{watched} need {findings._INTERACTIONS_REQUIRED} `Watch` events." in page


def test_the_schemas_have_the_required_columns() -> None:
    schemas = [json.loads(block) for block in blocks(PAGES[SCHEMAS], "json") if "fields" in block]
    interactions, items, _ = columns.datasets(now=0)

    assert [{one["name"] for one in schema["fields"]} for schema in schemas] == [
        {*interactions.required},
        {*items.required},
    ]


def test_an_adopted_recommender_gets_the_defaults_that_the_page_names() -> None:
    rows = dict(re.findall(r"(?m)^\| `[\w.]+` \| `(\w+)` \| (\S+) \|$", PAGES["adopting.md"]))
    config = Config()

    assert rows == {
        "min_recommendation_requests_per_second": str(config.min_requests_per_second),
        "exploration_weight": str(config.exploration_weight),
        "exploration_item_age_cut_off": str(config.exploration_item_age_cut_off),
        "excluded_columns": "none",
    }
    assert f"up to {DEFAULT_WAIT_SECONDS / 60:.0f} minutes" in PAGES["adopting.md"]


def test_the_adopting_page_names_the_tags_of_an_adopted_recommender() -> None:
    for tag in (v.OWNER_STACK_TAG, v.OWNER_RESOURCE_TAG, v.ADOPTED_TAG):
        assert f"`{tag}`" in PAGES["adopting.md"]


def test_the_regression_of_the_example_lets_its_value_pass() -> None:
    text = " ".join(PAGES["quality-gate.md"].split())
    before, least = re.findall(r"at ([\d.]+) before, ([\d.]+) passes", text)[0]
    (regression,) = re.findall(r'"max_metric_regression": ([\d.]+)', text)
    gate = QualityGate(max_regression=Decimal(regression))

    assert gate.misses({"coverage": float(least)}, {"coverage": float(before)}) == []
    assert gate.misses({"coverage": float(least) - 0.0001}, {"coverage": float(before)})
    assert f"{float(regression):.0%}".replace("%", " %") in text


def test_the_properties_that_replace_a_recommender_have_these_names() -> None:
    (row,) = re.findall(r"(?m)^\| (`DatasetGroupArn`.*?) \|", PAGES["upgrading.md"])

    assert set(re.findall(r"`(\w+)`", row)) == {
        v.DATASET_GROUP_ARN,
        v.FIXED_NAME,
        v.NAME_PREFIX,
        v.RECIPE_ARN,
    }
    assert f"`{v.EXCLUDED_COLUMNS}`" in PAGES["upgrading.md"]


def test_the_hours_of_the_example_are_billed_as_the_page_says() -> None:
    given = {"dataset_group_arn": GROUP, **_json(PAGES["hours-of-service.md"])}
    hours = parse(given).active_hours
    assert hours
    minutes = sum(weekly.minutes(hours["stop"])) - sum(weekly.minutes(hours["start"]))
    text = " ".join(PAGES["choosing-settings.md"].split())

    assert f"{minutes // 60} of {7 * 24}" in text


def _json(page: str) -> dict[str, Any]:
    return dict(json.loads(f"{{{blocks(page, 'json')[0]}}}"))


def _rows(page: str, header: str) -> set[str]:
    """Return the first column of the table of a page that begins with a header."""
    table = PAGES[page].partition(f"| {header} |")[2].partition("\n\n")[0]
    return {row.partition(" | ")[0].strip() for row in re.findall(r"(?m)^\| (.*)$", table)[1:]}


def test_the_monitoring_page_has_the_alarms_of_the_runbook() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    section = runbook.partition("\n## Alarms\n")[2].partition("\n## ")[0]

    assert _rows("monitoring.md", "alarm") == {*re.findall(r"(?m)^### (.*)$", section)}


def test_the_monitoring_page_has_the_metrics_of_the_observer() -> None:
    named = {name for cell in _rows("monitoring.md", "metric") for name in re.findall(r"\w+", cell)}

    assert {*v.OBSERVED} - {*v.METRICS} <= named
    assert named <= {*v.OBSERVED}
