"""What a role may do, and whether that is what it does.

Whether a policy allows something is decided by ministack's evaluator, which implements AWS's
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html): in the
fakes of CloudFormation and EventBridge Scheduler as in the local AWS. Which calls are made is taken
from the calls, never from the policies.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ministack.core import iam_evaluator  # type: ignore[import-untyped]

from tests.support.place import ACCOUNT, REGION
from tests.support.template import resolved

if TYPE_CHECKING:
    from tests.support.stack import Stack

Document = Mapping[str, Any]
"""A policy document with all its references resolved."""


@dataclass(frozen=True, order=True)
class Use:
    """What AWS has to authorise: an action, and a resource, or `*` for an action that knows none.

    As a grant, both may be patterns.
    """

    action: str
    resource: str


class Permissions:
    """What some policies allow together."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = list(documents)
        self._parsed = [iam_evaluator.parse_policy_document(dict(one)) for one in self._documents]

    @property
    def grants(self) -> set[Use]:
        """Each action and resource that a statement allows, as it is written there."""
        return {
            Use(action, resource)
            for statement in self._allowing()
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }

    def allow(self, use: Use) -> bool:
        """Return whether something is allowed."""
        context = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session",
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=use.action,
            resource_arn=use.resource,
            region=REGION,
        )
        return bool(iam_evaluator.evaluate(context, self._parsed).decision == "Allow")

    def refused(self, uses: Iterable[Use]) -> set[Use]:
        """Return what is used but not allowed."""
        return {use for use in uses if not self.allow(use)}

    def unused(self, uses: Iterable[Use]) -> set[Use]:
        """Return the grants under which nothing is used."""
        used = list(uses)
        return {grant for grant in self.grants if not any(_covers(grant, use) for use in used)}

    def _allowing(self) -> Iterator[Mapping[str, Any]]:
        for document in self._documents:
            statements = document["Statement"]
            for one in [statements] if isinstance(statements, dict) else statements:
                if one["Effect"] == "Allow":
                    yield one


def statements_of(stack: "Stack", role: str) -> Iterator[Mapping[str, Any]]:
    """Return the statements of the policies that a role of a deployed stack has now.

    Args:
        stack: The stack.
        role: The role's logical id.
    """
    for resource in stack.existing:
        attached_to = resource.definition.get("Properties", {}).get("Roles", ())
        if resource.type == "AWS::IAM::Policy" and {"Ref": role} in attached_to:
            yield from resource.properties["PolicyDocument"]["Statement"]


def roles_of(template: Mapping[str, Any]) -> dict[str, Permissions]:
    """Return what each role of a template may do, by the roles' logical ids.

    Resources are named as `tests.support.template.resolved` names them.
    """
    resources = template["Resources"]
    documents: dict[str, list[Document]] = {
        name: [one["PolicyDocument"] for one in role["Properties"].get("Policies", ())]
        for name, role in resources.items()
        if role["Type"] == "AWS::IAM::Role"
    }
    for policy in resources.values():
        if policy["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for role in policy["Properties"].get("Roles", ()):
                documents[role["Ref"]].append(policy["Properties"]["PolicyDocument"])
    return {name: Permissions(resolved(all_of_them)) for name, all_of_them in documents.items()}


def uses_in(journal: Iterable[Mapping[str, Any]], role: str) -> set[Use]:
    """Return what a role's calls to the simulated Personalize were authorised for.

    The journal does not say for which dataset group a recommender was to be created; that
    authorisation of CreateRecommender is missing here.

    Args:
        journal: Calls, as `tests.support.local_world.LocalWorld.personalize_journal` returns them.
        role: The role's name.
    """
    return {
        Use(f"personalize:{action}", call["resource_arn"])
        for call in journal
        if f":assumed-role/{role}/" in call["caller"]
        for action in _AUTHORISED.get(call["operation"], (call["operation"],))
    }


_AUTHORISED: Final = {"CreateRecommender": ("CreateRecommender", "TagResource")}
"""Every recommender of ours is created with tags, which is authorised as well."""


def _covers(grant: Use, use: Use) -> bool:
    return bool(
        iam_evaluator.fnmatch_iam(use.action, grant.action)
        and iam_evaluator.fnmatch_iam_cs(use.resource, grant.resource)
    )


def listed(value: Any) -> list[str]:
    """Return the strings of a policy's member, which may be one or several."""
    several = [value] if isinstance(value, str) else value
    assert all(isinstance(one, str) for one in several), f"not resolved: {value}"
    return list(several)
