"""The parts of `make bench`, made small: that each measures what it says."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from benchmarks import (
    cold_start,
    compare_models,
    deployments,
    libraries,
    recommenders,
    rehearsal,
    scale,
    synthesis,
)
from benchmarks.deployments import TimedAccount
from benchmarks.local_world import Waited, targets_of_check
from benchmarks.processes import ROOT
from benchmarks.rivals import Rival
from benchmarks.rivals.provider import Provider
from benchmarks.rivals.sleeping import Sleeping
from benchmarks.rivals.wait_condition import WaitCondition
from lambdas.recommender import vocabulary as v
from local_aws.rehearsal import sample
from local_aws.rehearsal.reading import read
from local_aws.rehearsal.training import TopPicks
from tests.support.place import GROUP

FIVE_MINUTES: Final = 307.0
SIXTY_FIVE_MINUTES: Final = 3907.0
"""Not of whole polls: else the last one comes just in time."""


# -- cold start --------------------------------------------------------------------------------


def test_the_asset_has_the_files_of_every_folder_of_the_functions() -> None:
    folders = {one.parent.name for one in cold_start.shipped()}

    assert {"recommender", "model", "decision", "aws", "protocol", "resources"} <= folders


def test_a_cold_start_is_all_of_a_first_look_and_no_more(tmp_path: Path) -> None:
    asked: dict[str, list[str]] = {}
    with cold_start.region() as region:
        for name, start in cold_start.starts(region.endpoint, tmp_path).items():
            region.asked.clear()
            assert "peak KiB" in start().said
            asked[name] = list(region.asked)

    poll = "DescribeRecommender"
    assert asked == {
        "bare": [poll],
        "sdk": [poll],
        "poll": [poll],
        "compiled": [poll],
        "finished": ["PUT"],
        "waiting": ["StartExecution"],
    }


# -- synthesis ---------------------------------------------------------------------------------


def synthesised(code: str, into: Path, **settings: object) -> tuple[set[str], str]:
    """Return the types of the resources of a synthesised stack, and what its checks report."""
    synthesis.synthesise(code, settings, into, environment={"CDK_VALIDATION": "false"})
    template = json.loads((into / "TopPicks.template.json").read_text())
    report = into / "validation-report.json"
    types = {resource["Type"] for resource in template["Resources"].values()}
    return types - {"AWS::CDK::Metadata"}, report.read_text() if report.exists() else ""


@pytest.mark.parametrize(
    ("code", "types"),
    [
        (synthesis.EMPTY, {"AWS::CloudFormation::WaitConditionHandle"}),
        (
            synthesis.LEAST,
            {
                "AWS::IAM::Role",
                "AWS::Lambda::Function",
                "AWS::Logs::LogGroup",
                "AWS::StepFunctions::StateMachine",
            },
        ),
    ],
)
def test_what_ours_is_compared_with_has_what_it_says(
    tmp_path: Path, code: str, types: set[str]
) -> None:
    assert synthesised(code, tmp_path) == (types, "")


def test_what_is_without_rule_packs_is_the_same_stack_that_none_has_checked(tmp_path: Path) -> None:
    whole, checks = synthesised(synthesis.WHOLE, tmp_path / "whole", dataset_group_arn=GROUP)
    without = synthesised(synthesis.WITHOUT_RULES, tmp_path / "without", dataset_group_arn=GROUP)

    assert v.RECOMMENDER_TYPE in whole
    assert "AwsSolutions" in checks
    assert without == (whole, "")


# -- deployments -------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [FIVE_MINUTES, SIXTY_FIVE_MINUTES])
def test_a_stack_is_complete_a_poll_and_ten_seconds_after_its_training(training: float) -> None:
    account = TimedAccount(training)

    deployed = deployments.deployment(account)

    assert deployed.failure == ""
    assert 0 < deployed.after <= 70
    assert deployed.after < deployed.whole
    assert account.lambda_seconds > 0


@pytest.mark.parametrize(
    ("rival", "training", "failure"),
    [
        (Provider, FIVE_MINUTES, ""),
        (Provider, SIXTY_FIVE_MINUTES, "ROLLBACK_COMPLETE after 60 min"),
        (WaitCondition, FIVE_MINUTES, ""),
        (WaitCondition, SIXTY_FIVE_MINUTES, ""),
        (Sleeping, FIVE_MINUTES, ""),
        (Sleeping, SIXTY_FIVE_MINUTES, "ROLLBACK_COMPLETE after 65 min"),
    ],
)
def test_a_rival_that_waits_no_more_than_an_hour_is_told_by_its_failure(
    rival: type[Rival], training: float, failure: str
) -> None:
    deployed = deployments.deployment(TimedAccount(training), rival)

    assert deployed.failure == failure
    assert bool(failure) != (0 < deployed.after <= 70)


def test_the_notebook_waits_for_as_long_as_its_kernel_lives() -> None:
    deployed = deployments.deployment_by_notebook(TimedAccount(SIXTY_FIVE_MINUTES))

    assert 0 <= deployed.after <= 60


@pytest.mark.parametrize(
    ("rival", "failure"),
    [
        (None, ""),
        (Provider, "DELETE_FAILED, and the recommender is left"),
        (WaitCondition, "DELETE_FAILED, and the recommender is left"),
    ],
)
def test_a_deletion_waits_for_two_ends_a_poll_and_ten_seconds_each(
    rival: type[Rival] | None, failure: str
) -> None:
    deleted = deployments.deletion(TimedAccount(SIXTY_FIVE_MINUTES), rival)

    assert deleted.failure == failure
    if not failure:
        assert 0 <= deleted.after <= 70
        assert 0 < deleted.whole - deleted.after <= 70


def test_a_deployment_that_fails_counts_as_the_longest() -> None:
    def run(account: TimedAccount) -> deployments.Deployed:
        fails = account.training < FIVE_MINUTES + 10
        return deployments.Deployed(failure="no") if fails else deployments.Deployed(1.0, 2.0)

    assert deployments._worst(run, FIVE_MINUTES).failure == "no"


# -- many stacks -------------------------------------------------------------------------------


@pytest.mark.parametrize(("quota", "succeed"), [(2, "2 of 2 succeed"), (1, "1 of 2 succeed")])
def test_of_many_stacks_at_once_those_that_succeed_are_counted(quota: int, succeed: str) -> None:
    region = scale.Region(2, quota=quota)

    ended, calls = scale.all_at_once(region, "create")

    assert ended == succeed
    assert calls.startswith(f"{len(region.calls.made)} calls, ")


def test_names_are_read_once_for_each_sweep_however_many_there_are() -> None:
    region = scale.Region(1)
    region.of_others(101)
    scale.all_at_once(region, "create")

    ended, _ = scale.all_at_once(region, "delete")

    assert ended == "1 of 1 succeed"
    assert set(region.calls.lists.values()) == {11}


# -- the rehearsal, and the local AWS ----------------------------------------------------------


POPULAR = "what is popular"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rehearsal be small, and the libraries be one model, which is none of theirs."""
    for name, value in {"_USERS": 300, "_INTERACTIONS": 5000, "_ASKED": 5}.items():
        monkeypatch.setattr(rehearsal, name, value)
    monkeypatch.setattr(rehearsal, "_RIVALS", (POPULAR,))
    monkeypatch.setattr(recommenders, "MODELS", {POPULAR: popular})
    monkeypatch.setattr(libraries, "_run", recommenders.main)


def popular(users: Any) -> Any:
    """Learn what is popular, as `recommenders` learns everything."""
    counts = np.asarray(users.sum(axis=0)).ravel()
    return lambda asked: np.tile(counts, (asked.shape[0], 1))


@pytest.mark.usefixtures("small")
def test_the_rehearsal_is_gone_through_and_measured_as_the_libraries_are() -> None:
    measured = json.loads(json.dumps(rehearsal.measure(200)))

    rows = list(rehearsal.rows(200, measured))

    assert len(rows) == 4
    assert all(row.ours for row in rows)
    assert measured["ours"][0] > 2 * measured["others"][POPULAR][0]
    assert f"{POPULAR}: 0." in rows[-1].other


@pytest.mark.usefixtures("small")
def test_a_library_is_asked_what_our_popularity_list_is_asked(tmp_path: Path) -> None:
    rehearsal.write(tmp_path, 200)
    data = read(tmp_path, now=2e9)

    (theirs,) = libraries.learnt(data, names=[POPULAR])

    ours = TopPicks(data).popularity_metrics
    assert theirs.measured.metrics == pytest.approx(ours, abs=0.01)  # ties in another order
    assert theirs.measured.error(rehearsal.NDCG)


@pytest.mark.usefixtures("small")
def test_models_are_compared_on_all_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal.write(tmp_path, 200)
    monkeypatch.setattr(compare_models, "_SIZES", ())
    monkeypatch.setattr(compare_models, "SPLITS", 2)
    monkeypatch.setattr(sample, "FOLDER", tmp_path)

    rows = list(compare_models.models())

    names = [row.what.removeprefix("the sample, ten splits: ") for row in rows]
    ours = ["each pair, without metadata", "each pair", "directions"]
    assert names == ["a popularity list", *ours, POPULAR]
    assert all(row.ours.startswith("NDCG at 25 0.") for row in rows)


def test_of_a_training_the_looks_are_counted_that_fell_into_it() -> None:
    calls = [
        ("CreateRecommender", 100.0),
        ("DescribeRecommender", 99.0),
        *(("DescribeRecommender", 110.0 + 10 * number) for number in range(8)),
        ("ListTagsForResource", 150.0),
    ]

    waited = Waited.of(calls, complete=190.0)

    assert waited == Waited(polls=8, late=5.0, rest=10.0)


def test_the_suites_are_those_of_make_check() -> None:
    targets = targets_of_check()

    assert {"lint", "types", "test-e2e"} <= set(targets)
    assert all(f"\n{target}: " in (ROOT / "Makefile").read_text() for target in targets)
