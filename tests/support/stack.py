"""A stack of the fake CloudFormation: what is in it, and the operations that change it."""

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.support import deployed_code
from tests.support.custom_resources import (
    CANARY,
    Outcome,
    Rollback,
    SentRequest,
    StackEvent,
    StackResource,
)
from tests.support.intrinsics import resolve
from tests.support.place import ACCOUNT
from tests.support.synthesis import Deployable, Settings, stringified

if TYPE_CHECKING:
    from tests.support.cloudformation import Cloud
    from tests.support.deployed_code import Functions

Condition = Callable[[], bool]
Process = Generator[Condition, None, None]
"""An operation: it yields what it waits for."""
Applying = Generator[Condition, None, str]
"""The same for one resource: it returns why it failed, or nothing."""

_UPDATABLE: Final = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
)


_NEW_TOKEN: Final = "Modifying service token is not allowed."
"""As seen in serverless issue 9240 and cloudformation-coverage-roadmap issue 802."""


@dataclass(frozen=True)
class Shown:
    """What DescribeStacks answers of a stack from a time on; all times in epoch seconds."""

    since: float
    status: str
    updated: float | None = None
    deleted: float | None = None


class Stack:
    """A stack: what is in it, and its operations.

    Each of them runs to its end unless it is told not to `wait`; then `Cloud.run_for` and
    `Cloud.finish` let it.
    """

    def __init__(self, cloud: "Cloud", name: str, unique: str) -> None:
        self.cloud = cloud
        self.name = name
        place = f"{cloud.partition}:cloudformation:{cloud.region}:{ACCOUNT}"
        self.id = f"arn:{place}:stack/{name}/{unique}"
        self.status = "REVIEW_IN_PROGRESS"
        self._shown = [Shown(cloud.clock.now, self.status)]
        self.phase = 0
        self.events: list[StackEvent] = []
        self.template = Deployable({}, {})
        self.resources: dict[str, StackResource] = {}
        self.was_complete = False
        """Whether a creation or an update has ever succeeded: there is a state to go back to."""
        self.outputs: dict[str, Any] = {}
        self.created = cloud.clock.now
        self.updated: float | None = None
        self.deleted: float | None = None
        self.is_protected = False
        """Whether termination protection is on."""
        self.functions: Functions = deployed_code.functions(self)
        self.instances: dict[str, deployed_code.Instance] = {}
        """By their handlers."""
        self._garbage: list[StackResource] = []
        self._attempted: dict[str, Mapping[str, Any]] = {}
        """The properties of the latest request to each resource."""
        self._process: Process | None = None
        self._awaited: Condition = bool
        self._in_flight: list[SentRequest] = []
        self._interrupted: Condition = bool
        self._rolls_back = True
        self._skipped: set[str] = set()
        self._rolled_back: tuple[Deployable, dict[str, StackResource]] | None = None

    # -- operations ----------------------------------------------------------------------------

    def create(
        self,
        settings: Settings | Deployable | None = None,
        *,
        sibling_fails: float | Condition | None = None,
        rolls_back: bool = True,
        wait: bool = True,
    ) -> str:
        """Create the stack, and return its status.

        Args:
            settings: What to deploy.
            sibling_fails: After how many seconds, or when, a resource beside ours fails.
            rolls_back: Whether a failure is undone; with `cdk deploy --no-rollback` it is not.
            wait: Whether to wait for the end.
        """
        self._rolls_back = rolls_back
        template = self._template(settings)
        self._announce(template)
        return self._begin(self._creating(template), sibling_fails, wait=wait)

    def update(
        self,
        settings: Settings | Deployable | None = None,
        *,
        sibling_fails: float | Condition | None = None,
        rolls_back: bool = True,
        wait: bool = True,
    ) -> str:
        """Update the stack, otherwise as `create`; without a difference nothing happens."""
        self._rolls_back = rolls_back
        template = self._template(settings)
        assert self.status in _UPDATABLE, f"cannot be updated in {self.status}"
        if template == self.template and self.status.endswith("_COMPLETE"):
            return self.status
        self._announce(template)
        return self._begin(self._updating(template), sibling_fails, wait=wait)

    def roll_back(self, *, skip: Sequence[str] = (), wait: bool = True) -> str:
        """Undo a failed update, or try again to, with resources skipped if need be."""
        self._skipped = set(skip)
        assert self._rolled_back and self.status in ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED")
        return self._begin(self._rolling_back(*self._rolled_back), None, wait=wait)

    def delete(self, *, retain: Sequence[str] = (), wait: bool = True) -> str:
        """Delete the stack, also while it is being created, and return its status."""
        if not retain:
            self._announce(None)
        if self._process:
            assert self.status == "CREATE_IN_PROGRESS", f"cannot be deleted in {self.status}"
            self._process.close()
            for request in self._in_flight:
                request.end("CANCELLED", "Resource creation cancelled")
        return self._begin(self._deleting(set(retain)), None, wait=wait)

    def fail_sibling(self) -> None:
        """Let a resource beside ours fail, now."""
        self._interrupted = lambda: True

    def _announce(self, template: Deployable | None) -> None:
        for watcher in self.cloud.watchers:
            watcher.begins(self, template)

    def _begin(
        self, process: Process, sibling_fails: float | Condition | None, *, wait: bool
    ) -> str:
        self._process = process
        if callable(sibling_fails):
            self._interrupted = sibling_fails
        elif sibling_fails is not None:
            when = self.cloud.clock.now + sibling_fails
            self._interrupted = lambda: self.cloud.clock.now >= when
            self.cloud.timeline.after(sibling_fails, lambda: None)
        else:
            self._interrupted = bool
        self._awaited = lambda: True
        self.cloud.run_for(0)
        if wait:
            self.cloud.finish()
        return self.status

    def _template(self, settings: Settings | Deployable | None) -> Deployable:
        return (
            settings
            if isinstance(settings, Deployable)
            else Deployable.of(self.name, settings or {})
        )

    @property
    def is_busy(self) -> bool:
        """Whether an operation is under way."""
        return self._process is not None

    @property
    def is_ready(self) -> bool:
        """Whether what the operation waits for has come."""
        return self._process is not None and self._awaited()

    def resume(self) -> None:
        """Go on until the operation waits again, or ends."""
        process = self._process
        assert process
        self._awaited = bool
        try:
            self._awaited = next(process)
        except StopIteration:
            self._process = None
            for watcher in self.cloud.watchers:
                watcher.ended(self)

    # -- what can be asked ---------------------------------------------------------------------

    def the(self, resource_type: str) -> StackResource:
        """Return the only resource of a type."""
        (found,) = (one for one in self.resources.values() if one.type == resource_type)
        return found

    @property
    def existing(self) -> list[StackResource]:
        """All resources, with those that are still to be cleaned up."""
        return [*self.resources.values(), *self._garbage]

    @property
    def shown(self) -> Shown:
        """What DescribeStacks answers, which may lag behind."""
        known = self.cloud.clock.now - self.cloud.status_lag
        return ([one for one in self._shown if one.since <= known] or self._shown[:1])[-1]

    def has_completed(self, logical_id: str) -> bool:
        """Whether a resource's creation or update has succeeded in the operation under way."""
        mine = [event for event in self._latest_events() if event.logical_id == logical_id]
        return bool(mine) and mine[-1].status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    def reasons(self, status: str = "FAILED") -> list[str]:
        """Return the reasons of all events whose status ends like this."""
        return [event.reason for event in self.events if event.status.endswith(status)]

    def sent(self, resource_type: str, request_type: str = "") -> list[SentRequest]:
        """Return the requests to resources of a type, all or those of one kind."""
        return [
            request
            for request in self.cloud.requests
            if request.stack is self
            and request.event["ResourceType"] == resource_type
            and request_type in ("", request.type)
        ]

    # -- creating ------------------------------------------------------------------------------

    def _creating(self, template: Deployable) -> Process:
        self.updated = self.cloud.clock.now if self.cloud.change_sets else None
        self._enter("CREATE_IN_PROGRESS")
        self.template = template
        if not (yield from self._deploying(template)):
            self._enter("CREATE_COMPLETE")
            return
        if not self._rolls_back:
            self._enter("CREATE_FAILED")
            return
        self._enter("ROLLBACK_IN_PROGRESS")
        self.deleted = self.cloud.clock.now
        failed = yield from self._removing(on_create=True)
        self._enter("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE")

    def _deploying(self, template: Deployable) -> Generator[Condition, None, str]:
        """Bring all resources to what the template says, and return why it failed, if it did.

        While a custom resource is under way, so is every other one that does not depend on it. When
        one has failed, the others are cancelled.
        """
        waiting, done, failed, running = list(template.order), set[str](), "", _Running()
        while running or (waiting and not failed):
            logical_id = "" if failed else _next(template, waiting, done, alone=not running)
            if logical_id:
                waiting.remove(logical_id)
                ended = running.begin(logical_id, self._applying(template, logical_id))
            else:
                yield running.is_ready
                logical_id, ended = running.resume()
            if ended is not None:
                done.add(logical_id)
                failed = failed or self._failure(logical_id, ended)
            if failed:
                self._interrupted = lambda: True
        if failed:
            return failed
        try:
            self.outputs = self._resolved_outputs(template)
        except _MissingAttributeError as error:
            return str(error)
        return ""

    def _failure(self, logical_id: str, reason: str) -> str:
        """Return why the operation fails now that a resource is done, if it does."""
        if reason:
            self._note(logical_id, "FAILED", reason)
        elif self._interrupted():
            self._note("Sibling", "CREATE_FAILED", "it was told to")
            return "a sibling failed"
        return reason

    def _applying(self, template: Deployable, logical_id: str) -> Applying:
        wanted = self._resource(template, logical_id)
        current = self.resources.get(logical_id)
        if current and current.status == "CREATE_FAILED":
            yield from self._deleting_one(current)
            current = None
        if current is None:
            return (yield from self._creating_one(wanted))
        if current.properties == wanted.properties and current.status != "UPDATE_FAILED":
            self.resources[logical_id] = replace(current, definition=wanted.definition)
            return ""
        return (yield from self._updating_one(current, wanted))

    def _creating_one(self, wanted: StackResource) -> Generator[Condition, None, str]:
        self.resources[wanted.logical_id] = wanted
        self._note(wanted.logical_id, "CREATE_IN_PROGRESS")
        outcome = yield from self._asking("Create", wanted)
        self._keep(
            wanted,
            physical_id=outcome.physical_id,
            attributes=outcome.data,
            status=f"CREATE_{'COMPLETE' if outcome.succeeded else 'FAILED'}",
            reason=outcome.reason,
        )
        return outcome.reason

    def _updating_one(
        self, current: StackResource, wanted: StackResource, *, physical_id: str | None = None
    ) -> Generator[Condition, None, str]:
        """Update a resource; one that answers with another id has been replaced by it."""
        if current.is_custom and _token(current) != _token(wanted):
            return _NEW_TOKEN
        told = replace(current, physical_id=physical_id or current.physical_id)
        self._note(current.logical_id, "UPDATE_IN_PROGRESS", physical_id=told.physical_id)
        outcome = yield from self._asking("Update", told, wanted)
        self._keep(
            wanted if outcome.succeeded else told,
            physical_id=outcome.physical_id or current.physical_id,
            attributes=outcome.data,
            status=f"UPDATE_{'COMPLETE' if outcome.succeeded else 'FAILED'}",
            reason=outcome.reason,
        )
        if outcome.succeeded and outcome.physical_id != told.physical_id:
            self._garbage.append(told)
        return outcome.reason

    # -- updating ------------------------------------------------------------------------------

    def _updating(self, template: Deployable) -> Process:
        before, old = dict(self.resources), self.template
        self.updated = self.cloud.clock.now
        self._enter("UPDATE_IN_PROGRESS")
        self.template = template
        if (yield from self._deploying(template)):
            self._rolled_back = self._rolled_back or (old, before)
            if self._rolls_back:
                yield from self._rolling_back(*self._rolled_back)
            else:
                self._enter("UPDATE_FAILED")
            return
        self._enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._rolled_back = None
        removed = [one for one in self.resources if one not in template.resources]
        yield from self._cleaning_up([*old.order, *template.order], removed)
        self._enter("UPDATE_COMPLETE")

    def _rolling_back(self, old: Deployable, before: dict[str, StackResource]) -> Process:
        self._interrupted = bool
        if self.status != "UPDATE_ROLLBACK_FAILED":
            self._garbage = []  # what was replaced is to be in use again
        self._enter("UPDATE_ROLLBACK_IN_PROGRESS")
        new, self.template = self.template, old
        for logical_id in (one for one in old.order if one in before):
            if (yield from self._restoring(before[logical_id])):
                self.template = new
                self._enter("UPDATE_ROLLBACK_FAILED")
                return
        with contextlib.suppress(_MissingAttributeError):  # it may never have been complete
            self.outputs = self._resolved_outputs(old)
        self._enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        added = [one for one in self.resources if one not in before]
        yield from self._cleaning_up([*new.order, *old.order], added, on_create=True)
        self._rolled_back = None
        self._enter("UPDATE_ROLLBACK_COMPLETE")

    def _restoring(self, before: StackResource) -> Generator[Condition, None, str]:
        """Bring one resource back to what it was.

        One that was not changed keeps the new template's deletion policy: no source says that
        CloudFormation restores a policy alone.
        """
        current = self.resources[before.logical_id]
        if before.logical_id in self._skipped:
            self._keep(current, status="UPDATE_COMPLETE")
            return ""
        wanted = replace(
            self._resource(self.template, before.logical_id), definition=before.definition
        )
        replaced = current.physical_id != before.physical_id
        if replaced and self.cloud.rollback is Rollback.DELETE_ONLY:
            self._garbage.append(current)
            self._keep(before, status="UPDATE_COMPLETE")
            return ""
        untouched = not replaced and current.status != "UPDATE_FAILED"
        if untouched and current.properties == wanted.properties:
            return ""
        failed = current.status == "UPDATE_FAILED"
        properties = self._attempted.get(before.logical_id, current.properties)
        reversed_from = replace(current, properties=properties if failed else current.properties)
        old_id = self.cloud.rollback is Rollback.REVERSED_WITH_OLD_ID
        return (
            yield from self._updating_one(
                reversed_from, wanted, physical_id=before.physical_id if old_id else None
            )
        )

    def _cleaning_up(
        self, order: Sequence[str], removed: Sequence[str], *, on_create: bool = False
    ) -> Process:
        """Delete what was replaced, added or removed; what fails three times is forgotten."""
        place = {logical_id: number for number, logical_id in enumerate(order)}
        if not self.cloud.deletes_what_has_returned:
            current = {one.physical_id for one in self.resources.values()}
            self._garbage = [one for one in self._garbage if one.physical_id not in current]
        doomed = [
            *((one, "UpdateReplacePolicy") for one in self._garbage),
            *((self.resources.pop(one), "DeletionPolicy") for one in removed),
        ]
        self._garbage = [resource for resource, _ in doomed]
        for resource, policy in sorted(
            doomed, key=lambda pair: place.get(pair[0].logical_id, 0), reverse=True
        ):
            retained = _is_retained(resource.definition.get(policy), on_create=on_create)
            for _attempt in range(0 if retained else self.cloud.clean_up_attempts):
                if not (yield from self._deleting_one(resource)):
                    break
            self._garbage.remove(resource)

    # -- deleting ------------------------------------------------------------------------------

    def _deleting(self, retain: set[str]) -> Process:
        self.deleted = self.cloud.clock.now
        self._enter("DELETE_IN_PROGRESS")
        failed = yield from self._removing(retain=retain)
        self._enter("DELETE_FAILED" if failed else "DELETE_COMPLETE")

    def _removing(
        self, *, retain: set[str] | None = None, on_create: bool = False
    ) -> Generator[Condition, None, bool]:
        """Delete all resources, last ones first, and return whether that failed.

        What a resource that could not be deleted depends on is not touched, or is deleted all the
        same (`Cloud.deletes_what_failed_needs`).
        """
        self._interrupted = bool
        needed: set[str] = set()
        failed = False
        older = self.resources.keys() - self.template.resources.keys()
        definitions = {one: self.resources[one].definition for one in sorted(older)}
        known = Deployable({**self.template.resources, **definitions}, {})
        for logical_id in reversed([one for one in known.order if one in self.resources]):
            resource = self.resources[logical_id]
            if logical_id in needed:
                needed |= known.requires(logical_id)
                continue
            policy = resource.definition.get("DeletionPolicy")
            retained = _is_retained(policy, on_create=on_create) or logical_id in (retain or ())
            if not retained and (yield from self._deleting_one(resource)):
                failed = True
                if not self.cloud.deletes_what_failed_needs:
                    needed |= known.requires(logical_id)
                continue
            if retained:
                self._note(logical_id, "DELETE_SKIPPED")
            del self.resources[logical_id]
        return failed

    def _deleting_one(self, resource: StackResource) -> Generator[Condition, None, str]:
        if resource.physical_id is None:
            resource = replace(resource, physical_id=self._invented_id(resource.logical_id))
        self._note(resource.logical_id, "DELETE_IN_PROGRESS", physical_id=resource.physical_id)
        outcome = yield from self._asking("Delete", resource)
        status = "DELETE_COMPLETE" if outcome.succeeded else "DELETE_FAILED"
        self._note(resource.logical_id, status, outcome.reason, physical_id=resource.physical_id)
        return outcome.reason

    def _invented_id(self, logical_id: str) -> str:
        return f"{self.name}-{logical_id}-{self.cloud.new_id()[-12:].upper()}"

    # -- requests ------------------------------------------------------------------------------

    def _asking(
        self, request_type: str, resource: StackResource, wanted: StackResource | None = None
    ) -> Generator[Condition, None, Outcome]:
        """Send a request, wait for its end, and return it."""
        if not resource.is_custom:
            physical_id = resource.physical_id or f"{self.name}-{resource.logical_id}"
            return Outcome("SUCCESS", "", physical_id)
        self._attempted[resource.logical_id] = (wanted or resource).properties
        request = SentRequest(self, self._event(request_type, resource, wanted), self.phase)
        self._in_flight = [one for one in self._in_flight if one.outcome is None] + [request]
        self.cloud.send(request)
        yield lambda: request.outcome is not None or self._interrupted()
        verb = "creation" if request_type == "Create" else "update"
        request.end("CANCELLED", f"Resource {verb} cancelled")  # unless it has ended
        assert request.outcome
        return request.outcome

    def _event(
        self, request_type: str, resource: StackResource, wanted: StackResource | None
    ) -> Mapping[str, Any]:
        request_id = self.cloud.new_request_id()
        properties = stringified((wanted or resource).properties)
        old = stringified(resource.properties)
        timeout: dict[str, str] = {}
        if self.cloud.lifts_timeouts and "ServiceTimeout" in properties:
            timeout = {"ServiceTimeout": properties.pop("ServiceTimeout")}
            old.pop("ServiceTimeout", None)
        return {
            "RequestType": request_type,
            "ServiceToken": properties["ServiceToken"],
            **timeout,
            "ResponseURL": self._response_url(),
            "StackId": self.id,
            "RequestId": request_id,
            "LogicalResourceId": resource.logical_id,
            "ResourceType": resource.type,
            "ResourceProperties": properties,
            **({"PhysicalResourceId": resource.physical_id} if request_type != "Create" else {}),
            **({"OldResourceProperties": old} if wanted else {}),
        }

    def _response_url(self) -> str:
        """Return a URL as CloudFormation signs it, anew for each request."""
        cloud = self.cloud
        place = f"{cloud.region}.{cloud.url_suffix}"
        host = f"cloudformation-custom-resource-response-{cloud.region.replace('-', '')}.s3.{place}"
        signed = datetime.fromtimestamp(cloud.clock.now, UTC).strftime("%Y%m%dT%H%M%SZ")
        date = f"X-Amz-Date={signed}&X-Amz-Expires=7199&" if cloud.dates_urls else ""
        return f"https://{host}/{cloud.new_id()}?{date}X-Amz-Security-Token={CANARY}"

    # -- bookkeeping ---------------------------------------------------------------------------

    def _enter(self, status: str) -> None:
        self.status = status
        self.was_complete |= status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        self._shown.append(Shown(self.cloud.clock.now, status, self.updated, self.deleted))
        self.phase += status.endswith("_IN_PROGRESS")
        self._note(self.name, status)

    def _note(
        self, logical_id: str, status: str, reason: str = "", physical_id: str | None = None
    ) -> None:
        now = self.cloud.clock.now
        self.events.append(StackEvent(now, logical_id, status, reason, physical_id))

    def _latest_events(self) -> list[StackEvent]:
        begun = [
            number
            for number, event in enumerate(self.events)
            if event.logical_id == self.name and event.status.endswith("_IN_PROGRESS")
        ]
        return self.events[begun[-1] :] if begun else []

    def _keep(self, resource: StackResource, *, reason: str = "", **changes: Any) -> None:
        kept = replace(resource, **changes)
        self.resources[kept.logical_id] = kept
        self._note(kept.logical_id, kept.status, reason, kept.physical_id)

    def _resource(self, template: Deployable, logical_id: str) -> StackResource:
        definition = template.resources[logical_id]
        properties = resolve(definition.get("Properties", {}), self.lookup)
        return StackResource(logical_id, definition["Type"], properties, definition)

    def _resolved_outputs(self, template: Deployable) -> dict[str, Any]:
        outputs = template.outputs.items()
        return {name: resolve(output["Value"], self.lookup) for name, output in outputs}

    def lookup(self, name: str, attribute: str | None) -> Any:
        """Return what `Ref` or `Fn::GetAtt` is."""
        pseudo = {
            "AWS::Partition": self.cloud.partition,
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": self.cloud.region,
            "AWS::URLSuffix": self.cloud.url_suffix,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
        }
        if name in pseudo:
            return pseudo[name]
        resource = self.resources.get(name)
        if resource is None:
            raise _MissingAttributeError(f"{name} is not there")
        if attribute is None or not resource.is_custom:
            return resource.physical_id if attribute is None else f"arn:aws:::{name}.{attribute}"
        value = resource.attributes.get(attribute)
        if not isinstance(value, str):
            raise _MissingAttributeError(
                f"CustomResource attribute error: Vendor response doesn't contain {attribute} key "
                f"in object {resource.physical_id}"
            )
        return value


class _Running:
    """The resources that are under way at the same time, each with what it waits for."""

    def __init__(self) -> None:
        self._processes: dict[str, tuple[Applying, Condition]] = {}

    def __bool__(self) -> bool:
        return bool(self._processes)

    def is_ready(self) -> bool:
        """Whether what one of them waits for has come."""
        return any(condition() for _, condition in self._processes.values())

    def begin(self, logical_id: str, process: "Applying") -> str | None:
        """Go on with a resource; return why it failed, if it did, or None if it waits."""
        try:
            self._processes[logical_id] = process, next(process)
        except StopIteration as end:
            return str(end.value)
        except _MissingAttributeError as error:
            return str(error)
        return None

    def resume(self) -> tuple[str, str | None]:
        """Go on with one that is ready; return it, and as `begin` does."""
        ready = (one for one, (_, condition) in self._processes.items() if condition())
        logical_id = next(ready)
        process, _ = self._processes.pop(logical_id)
        return logical_id, self.begin(logical_id, process)


def _next(template: Deployable, waiting: Sequence[str], done: set[str], *, alone: bool) -> str:
    """Return the next resource that can begin, if one can; beside others, only a custom one."""
    for logical_id in waiting:
        is_custom = template.resources[logical_id]["Type"].startswith("Custom::")
        if (alone or is_custom) and template.requires(logical_id) <= done:
            return logical_id
    return ""


class _MissingAttributeError(LookupError):
    """An attribute that the template refers to was not answered, or not as a string."""


def _token(resource: StackResource) -> object:
    return resource.properties["ServiceToken"]


def _is_retained(policy: str | None, *, on_create: bool) -> bool:
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not on_create)
