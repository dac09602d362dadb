"""One assembly, promoted to two accounts by a role of a third, and consumers in a fourth."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from local_aws import processes, toolchain
from local_aws.commands import NO_TEAM_ACCOUNTS
from local_aws.report import leftovers
from tests.support.local_world import ACCOUNT, REGION, LocalWorld
from tests.support.permissions import Permissions, Use, uses_in
from tests.support.roles import Role, Session

pytestmark = pytest.mark.rows("S4", "S5")

TOOLS: Final = "999999999999"
APPS: Final = "333333333333"
LATE_CONSUMER: Final = f"arn:aws:iam::{APPS}:role/late"
"""Of a role that is not there when the stack is deployed."""
GATES: Final = {
    "training_gate_minutes": 0.05,
    "max_training_hours": 0.0025,
    "poll_interval_seconds": 1,
}
"""Three gates of 3 s."""
BOOTSTRAP: Final = (
    f"--trust={TOOLS}",
    "--cloudformation-execution-policies=arn:aws:iam::aws:policy/AdministratorAccess",
)


@dataclass(frozen=True)
class Environment:
    """An environment, by its name in the context."""

    name: str
    account: str
    region: str

    @property
    def stack(self) -> str:
        return f"{self.name}-TopPicks"

    @property
    def place(self) -> Mapping[str, str]:
        return {"account": self.account, "region": self.region}


DEV: Final = Environment("dev", ACCOUNT, REGION)
PROD: Final = Environment("prod", "222222222222", "us-east-1")


class Organisation:
    """Accounts of a local AWS: each environment's, one that deploys, and one of applications."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.pipeline = Role(world.aws, account=TOOLS)
        for environment in (DEV, PROD):
            bootstraps = f"arn:aws:iam::{environment.account}:role/cdk-hnb659fds-*"
            self.pipeline.may("sts:AssumeRole", bootstraps)
        self.consumer = Role(world.aws, account=APPS)
        self.consumer_role = f"arn:aws:iam::{PROD.account}:role/{PROD.stack}-consumer-{PROD.region}"
        self.consumer.may("sts:AssumeRole", self.consumer_role)

    def synthesise(self, *environments: Environment, dataset_group: str) -> Path:
        """Synthesise environments without credentials, and return the assembly."""
        settings = {
            one.name: {
                **GATES,
                "dataset_group_arn": self.world.seed(dataset_group, **one.place),
                **({"consumers": [self.consumer.arn, LATE_CONSUMER]} if one is PROD else {}),
            }
            for one in environments
        }
        context = NO_TEAM_ACCOUNTS | {"environments": json.dumps(settings)}
        assembly = self.world.aws.folder / f"for-{dataset_group}"
        ran = self._run(
            "synth",
            f"--output={assembly}",
            *(f"--context={name}={value}" for name, value in context.items()),
            credentials=None,
        )
        assert ran.returncode == 0, ran.stdout
        return assembly

    def cdk(
        self, command: str, assembly: Path, *arguments: str, by: Session | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the CDK CLI on an assembly, as the pipeline unless somebody else is given."""
        return self._run(
            command,
            f"--app={assembly}",
            *arguments,
            *{
                "deploy": ["--require-approval=never"],
                "destroy": ["--force", "--concurrency=2"],
            }.get(command, ()),
            credentials=(by or self.pipeline).environment,
        )

    def _run(
        self, *arguments: str, credentials: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[str]:
        neutral = {
            name: text
            for name, text in self.world.aws.env().items()
            if not name.startswith(("AWS_", "CDK_DEFAULT_")) or "METADATA" in name
        }
        reaching = {"AWS_ENDPOINT_URL": self.world.aws.endpoint, "AWS_REGION": REGION}
        return processes.run(
            (*toolchain.CDK, *arguments),
            env=neutral | ({**reaching, **credentials} if credentials else {}),
            cwd=toolchain.ROOT,
            capture=True,
            timeout=300,
        )

    def client(self, service: str, environment: Environment) -> Any:
        """Return a client with all permissions in an environment."""
        return self.world.aws.client(service, **environment.place)

    def recommenders(self, environment: Environment) -> list[str]:
        """Return the ARNs of the recommenders in an environment's account and region."""
        place = f":{environment.region}:{environment.account}:"
        arns = [one["recommenderArn"] for one in self.world.recommenders]
        return [arn for arn in arns if place in arn]

    def parameter(self, environment: Environment) -> str:
        """Return what applications find the recommender by."""
        name = f"/top-picks/{environment.stack}/recommender-arn"
        return str(self.client("ssm", environment).get_parameter(Name=name)["Parameter"]["Value"])

    def role_of_the_functions(self, environment: Environment) -> tuple[str, list[Any]]:
        """Return the name of a role, and its policies."""
        found = self.client("cloudformation", environment).describe_stack_resources(
            StackName=environment.stack
        )["StackResources"]
        (name,) = (
            one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] == "AWS::IAM::Role"
            and one["LogicalResourceId"].startswith("ServiceRole")
        )
        iam = self.client("iam", environment)
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
        return name, [
            iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in policies
        ]


@dataclass(frozen=True)
class Promoted:
    """What has come of an assembly that was deployed to one environment after the other."""

    organisation: Organisation
    assembly: Path
    files: Mapping[str, str]
    difference: subprocess.CompletedProcess[str]
    uses: Mapping[Environment, set[Use]]
    policies: Mapping[Environment, list[Any]]


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    with LocalWorld.start(tmp_path_factory.mktemp("world"), *BOOTSTRAP) as world:
        world.aws.bootstrap(*BOOTSTRAP, **PROD.place)
        yield Organisation(world)


@pytest.fixture(scope="module")
def promoted(organisation: Organisation) -> Iterator[Promoted]:
    """An assembly that was deployed to dev, then to prod; destroyed without a trace."""
    assembly = organisation.synthesise(DEV, PROD, dataset_group="vod")
    files = _files(assembly)
    for environment in (DEV, PROD):
        assert not organisation.recommenders(environment)
        deployed = organisation.cdk("deploy", assembly, f"{environment.name}/*")
        assert deployed.returncode == 0, deployed.stdout
    difference = organisation.cdk("diff", assembly, "--fail", "*/*")
    roles = {one: organisation.role_of_the_functions(one) for one in (DEV, PROD)}
    journal = organisation.world.personalize_journal()
    yield Promoted(
        organisation,
        assembly,
        files,
        difference,
        {one: uses_in(journal, role) for one, (role, _) in roles.items()},
        {one: policies for one, (_, policies) in roles.items()},
    )
    destroyed = organisation.cdk("destroy", assembly, "*/*")
    assert destroyed.returncode == 0, destroyed.stdout
    for environment in (DEV, PROD):
        left = leftovers(organisation.world.aws, **environment.place)
        assert not any(left.values()), left


def _files(assembly: Path) -> dict[str, str]:
    """Return a hash of each file; the CLI keeps assets as it has packed them in `.cache`."""
    return {
        str(one.relative_to(assembly)): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in assembly.rglob("*")
        if one.is_file() and one.parent.name != ".cache"
    }


# -- promotion -----------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [DEV, PROD], ids=["dev", "prod"])
def test_each_account_has_a_recommender_of_its_own(
    promoted: Promoted, environment: Environment
) -> None:
    (arn,) = promoted.organisation.recommenders(environment)

    place = f"arn:aws:personalize:{environment.region}:{environment.account}"
    assert arn.startswith(f"{place}:recommender/{environment.stack}-")
    assert promoted.organisation.parameter(environment) == arn


def test_promotion_leaves_the_assembly_as_it_was_synthesised(promoted: Promoted) -> None:
    assert _files(promoted.assembly) == promoted.files
    assert len(promoted.files) > 10


def test_nothing_differs_from_the_assembly_that_was_promoted(promoted: Promoted) -> None:
    assert promoted.difference.returncode == 0, promoted.difference.stdout
    assert "Number of stacks with differences: 0" in promoted.difference.stdout


@pytest.mark.parametrize("region", [DEV.region, PROD.region])
def test_the_account_that_deploys_owns_nothing_of_it(promoted: Promoted, region: str) -> None:
    left = leftovers(promoted.organisation.world.aws, account=TOOLS, region=region)

    assert left.pop("IAM roles") == [promoted.organisation.pipeline.name]
    assert not any(left.values())


def test_who_deploys_may_do_nothing_but_assume_the_roles(promoted: Promoted) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        promoted.organisation.pipeline.client("cloudformation").describe_stacks()


@pytest.mark.parametrize(
    ("account", "may"),
    [(TOOLS, False), (APPS, True)],
    ids=["trusted account, no permission", "permission, account that is not trusted"],
)
def test_others_cannot_deploy(promoted: Promoted, account: str, may: bool) -> None:
    other = Role(promoted.organisation.world.aws, account=account)
    if may:
        other.may("sts:AssumeRole", "*")
    try:
        refused = promoted.organisation.cdk("deploy", promoted.assembly, "dev/*", by=other)
    finally:
        other.delete()
    assert refused.returncode != 0
    assert "is not authorized to perform: sts:AssumeRole" in refused.stdout


@pytest.mark.parametrize(("ours", "theirs"), [(DEV, PROD), (PROD, DEV)], ids=["dev", "prod"])
def test_the_functions_are_allowed_what_they_did_and_not_what_the_others_did(
    promoted: Promoted, ours: Environment, theirs: Environment
) -> None:
    permissions = Permissions(promoted.policies[ours])
    lists = {use for use in promoted.uses[theirs] if use.resource == "*"}

    assert len(promoted.uses[ours]) > 5
    assert permissions.refused(promoted.uses[ours]) == set()
    assert permissions.refused(promoted.uses[theirs]) == promoted.uses[theirs] - lists


# -- consumers -----------------------------------------------------------------------------------


def recommendations(session: Session, arn: str, region: str = PROD.region) -> Any:
    return session.client("personalize-runtime", region=region).get_recommendations(
        recommenderArn=arn, userId="user-1", numResults=3, metadataColumns={"ITEMS": ["TITLE"]}
    )["itemList"]


def test_a_consumer_of_another_account_gets_recommendations_with_metadata(
    promoted: Promoted,
) -> None:
    organisation = promoted.organisation
    consumer = organisation.consumer.assume(organisation.consumer_role)

    items = recommendations(consumer, organisation.parameter(PROD))

    assert [set(item["metadata"]) for item in items] == [{"title"}] * 3


DENIED: Final[dict[str, Callable[[Session, str, str], Any]]] = {
    "another recommender": lambda session, ours, _: recommendations(session, f"{ours}0"),
    "that of dev": lambda session, _, dev: recommendations(session, dev, DEV.region),
    "DescribeRecommender": lambda session, ours, _: session.client(
        "personalize", region=PROD.region
    ).describe_recommender(recommenderArn=ours),
    "DeleteRecommender": lambda session, ours, _: session.client(
        "personalize", region=PROD.region
    ).delete_recommender(recommenderArn=ours),
    "ListRecommenders": lambda session, *_: session.client(
        "personalize", region=PROD.region
    ).list_recommenders(),
    "GetParameter": lambda session, *_: session.client("ssm", region=PROD.region).get_parameter(
        Name=f"/top-picks/{PROD.stack}/recommender-arn"
    ),
    "DescribeStacks": lambda session, *_: session.client(
        "cloudformation", region=PROD.region
    ).describe_stacks(StackName=PROD.stack),
    "AssumeRole": lambda session, *_: session.assume(
        f"arn:aws:iam::{PROD.account}:role/cdk-hnb659fds-deploy-role-{PROD.account}-{PROD.region}"
    ),
}


@pytest.mark.parametrize("denied", DENIED.values(), ids=DENIED.keys())
def test_a_consumer_is_denied_everything_else(
    promoted: Promoted, denied: Callable[[Session, str, str], Any]
) -> None:
    organisation = promoted.organisation
    consumer = organisation.consumer.assume(organisation.consumer_role)

    with pytest.raises(ClientError, match=r"AccessDenied.* is not authorized to perform"):
        denied(consumer, organisation.parameter(PROD), organisation.parameter(DEV))


def test_a_consumer_has_the_permission_by_that_role_only(promoted: Promoted) -> None:
    organisation = promoted.organisation

    with pytest.raises(ClientError, match="AccessDenied"):
        recommendations(organisation.consumer, organisation.parameter(PROD))


def test_nobody_else_of_the_consumer_s_account_is_trusted(promoted: Promoted) -> None:
    organisation = promoted.organisation
    other = Role(organisation.world.aws, account=APPS)
    other.may("sts:AssumeRole", organisation.consumer_role)

    with pytest.raises(ClientError, match="AccessDenied"):
        other.assume(organisation.consumer_role)
    other.delete()


def test_a_consumer_may_be_made_after_the_deployment_and_made_again(promoted: Promoted) -> None:
    organisation = promoted.organisation

    for _ in range(2):
        late = Role(organisation.world.aws, account=APPS, name=LATE_CONSUMER.rpartition("/")[2])
        late.may("sts:AssumeRole", organisation.consumer_role)
        consumer = late.assume(organisation.consumer_role)
        assert len(recommendations(consumer, organisation.parameter(PROD))) == 3
        late.delete()


def test_consumers_follow_a_replacement(promoted: Promoted) -> None:
    """By the parameter and the role, which both follow; nothing else changes hands."""
    organisation = promoted.organisation
    old = organisation.parameter(PROD)
    next_version = organisation.synthesise(PROD, dataset_group="other")

    deployed = organisation.cdk("deploy", next_version, f"{PROD.name}/*")

    assert deployed.returncode == 0, deployed.stdout
    new = organisation.parameter(PROD)
    assert organisation.recommenders(PROD) == [new] != [old]
    consumer = organisation.consumer.assume(organisation.consumer_role)
    assert len(recommendations(consumer, new)) == 3
    with pytest.raises(ClientError, match="AccessDenied"):
        recommendations(consumer, old)
    role, policies = organisation.role_of_the_functions(PROD)
    uses = uses_in(organisation.world.personalize_journal(), role)
    assert Permissions([*policies, *promoted.policies[PROD]]).refused(uses) == set()
