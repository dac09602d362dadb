"""`plan`: forecast a deployment, or `cdk destroy`, and change nothing."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lambdas.recommender.aws.errors import (
    ACCESS_DENIED,
    InUseError,
    NoServiceError,
    PermanentError,
)
from lambdas.recommender.model.identity import Arn
from lambdas.recommender.model.observed import Observed
from lambdas.recommender.model.request import Desired
from operations.account import Account
from operations.computations.assembly import (
    MANIFEST,
    AssemblyError,
    SynthesisedStack,
    find_stack,
)
from operations.computations.deployment import Deployment, finished_resources
from operations.computations.forecast import (
    Kind,
    Obstacle,
    RecommenderForecast,
    StackForecast,
    forecast_deployment,
    forecast_destruction,
)
from operations.computations.obstacles import (
    UPDATE_FAILED,
    is_created_by,
    obstacle_to_deployment,
    obstacle_to_destruction,
    quota_warnings,
    warnings_about,
    wrong_place,
)
from operations.computations.settings import SettingChange
from operations.computations.stack import REVIEW, Stack
from operations.console import CANNOT_TELL, CHANGES, FINE, NOT_FINE, TRAINS, Console
from operations.texts.render_forecast import render_json, render_markdown, render_text

FORMATS: Final[Mapping[str, Callable[[StackForecast, int], str]]] = {
    "text": render_text,
    "markdown": render_markdown,
    "json": render_json,
}
_CODES: Final = {
    Kind.FIRST_TRAINING: TRAINS,
    Kind.REPLACEMENT: TRAINS,
    Kind.REMOVAL: TRAINS,
    Kind.CANNOT_TELL: CANNOT_TELL,
    Kind.REFUSED: NOT_FINE,
}


def read_stack(app: Path, named: str) -> SynthesisedStack:
    """Read a stack of a cloud assembly.

    Args:
        app: the folder.
        named: the stack's name, or the CDK's id of it.

    Raises:
        AssemblyError: the folder is no cloud assembly, or has no such stack.
    """

    def read(path: str) -> Any:
        try:
            return json.loads((app / path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            if path == MANIFEST:
                raise AssemblyError(
                    f"{app} has no {MANIFEST}. Run npx cdk synth first, or name its folder with "
                    "--app"
                ) from error
            raise AssemblyError(f"{app} has no {path}. Run npx cdk synth again") from error
        except (OSError, ValueError) as error:
            raise AssemblyError(f"{path} in {app} cannot be read: {error}") from error

    return find_stack(read, named)


def plan(
    account: Account, console: Console, wanted: SynthesisedStack, *, destroys: bool, shown_as: str
) -> int:
    """Print the forecast of a deployment, or of `cdk destroy`; return the exit code."""
    forecast = forecast_of(account, wanted, now=console.clock(), destroys=destroys)
    code = exit_code(forecast)
    console.line(FORMATS[shown_as](forecast, code))
    return code


def exit_code(forecast: StackForecast) -> int:
    """Return the exit code of a forecast."""
    changes = CHANGES if forecast.changes_something else FINE
    return _CODES.get(forecast.kind, changes)


def forecast_of(
    account: Account, wanted: SynthesisedStack, *, now: float, destroys: bool = False
) -> StackForecast:
    """Read the account, and forecast a deployment to it.

    Args:
        account: the account and region.
        wanted: the stack of the cloud assembly.
        now: epoch seconds.
        destroys: whether to forecast `cdk destroy` instead.

    Raises:
        TransientError, PermanentError: AWS cannot be read.
        UnreadableError: a template cannot be.
    """
    caller = account.caller()
    found = StackForecast(wanted.name, account.region, caller.account, destroys=destroys)
    if obstacle := wrong_place(wanted, caller, account.region):
        return replace(found, obstacle=obstacle)
    stack = account.stack(wanted.name)
    found = replace(found, status=stack.status if stack else "")
    obstacle = (
        obstacle_to_destruction(wanted.name, stack) if destroys else obstacle_to_deployment(stack)
    )
    if obstacle:
        return replace(found, obstacle=obstacle)
    try:
        if destroys and stack:
            deployment = _deployed(account, Deployment(stack, wanted.template, now))
            effects = forecast_destruction(deployment, _observed(account, deployment))
            return replace(found, recommenders=tuple(effects))
        deployment = _deployment(account, wanted, stack, caller, now)
        effects = forecast_deployment(deployment, _observed(account, deployment))
        together = [one.created for one in effects if one.created]
        checked = [_checked(account, one, together) for one in effects]
    except NoServiceError as error:
        return replace(found, obstacle=Obstacle(Kind.REFUSED, str(error)))
    return replace(
        found,
        creates=is_created_by(stack),
        recommenders=tuple(checked),
        others=deployment.others,
        protection=_protection(wanted, deployment),
        warnings=warnings_about(stack),
    )


def _deployment(
    account: Account, wanted: SynthesisedStack, stack: Stack | None, caller: Arn, now: float
) -> Deployment:
    """Read what a deployment finds."""
    place = f"{caller.partition}:cloudformation:{account.region}:{caller.account}"
    unknown = Stack(f"arn:{place}:stack/{wanted.name}/unknown", wanted.name, "")
    has_id = stack is not None and (not is_created_by(stack) or stack.status == REVIEW)
    deployment = Deployment(
        stack if stack and has_id else unknown,
        wanted.template,
        now,
        has_id=has_id,
        parameters=wanted.parameters,
    )
    return deployment if is_created_by(stack) else _deployed(account, deployment)


def _deployed(account: Account, deployment: Deployment) -> Deployment:
    """Add the stack's template and resources."""
    stack, deployed = deployment.stack, account.template(deployment.stack)
    has_kept_failure = stack.status == UPDATE_FAILED
    return replace(
        deployment,
        deployed=deployed,
        resources=account.resources(stack),
        finished=finished_resources(account.events(stack), deployed) if has_kept_failure else None,
    )


def _observed(account: Account, deployment: Deployment) -> dict[str, Observed]:
    names = [arn.rpartition("/")[2] for arn in account.recommenders()]
    arns = sorted(deployment.arns_among(names))
    observed = (account.observed(arn, may_lack_tags=True) for arn in arns)
    return {one.arn: one for one in observed if one}


def _checked(
    account: Account, found: RecommenderForecast, together: Sequence[Desired]
) -> RecommenderForecast:
    """Check now what the functions check before a creation, and the quotas."""
    desired = found.created
    if desired is None or found.reason:
        return found
    quotas = quota_warnings(desired, account.recommenders(), together)
    found = replace(found, warnings=(*found.warnings, *quotas))
    try:
        account.personalize.check(desired)
    except InUseError as error:
        return replace(found, waits_for=str(error))
    except PermanentError as error:
        if error.code in ACCESS_DENIED:
            raise
        return replace(found, kind=Kind.REFUSED, reason=str(error))
    return found


def _protection(wanted: SynthesisedStack, deployment: Deployment) -> SettingChange | None:
    before, after = deployment.stack.is_protected, wanted.is_protected
    if before == after or not deployment.deployed:
        return None
    return SettingChange("termination_protection", str(before).lower(), str(after).lower())
