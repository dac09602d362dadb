"""The simulated Amazon Personalize: domain recommenders, their tags, and recommendations.

This is a SIMULATION of documented and observed behaviour, not AWS. Its sources:

- the service's model inside botocore
- the guide at docs.aws.amazon.com/personalize/latest/dg/
- the Service Authorization Reference (list_amazonpersonalize)
- the saved outputs of the notebooks of github.com/aws-samples/amazon-personalize-immersion-day and
  .../amazon-personalize-samples
- issues 219, 527 and pull request 564 of github.com/aws-samples/retail-demo-store
- repost.aws question QU94kd8uwFTZie-RTHRtrsEw

If none of these shows an error text, the code marks it as invented.
"""

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from local_aws.personalize import configuration
from local_aws.personalize.behaviour import Behaviour, Echo
from local_aws.personalize.catalogue import CATALOGUE, Item
from local_aws.personalize.errors import ServiceError, already_exists, in_use, invalid, not_found
from local_aws.personalize.paging import page
from local_aws.personalize.recipes import RECIPES, Domain, Recipe
from local_aws.personalize.recommender import (
    ACTIVE,
    GONE,
    INACTIVE,
    Overview,
    Recommender,
    Update,
    creation,
)
from local_aws.personalize.resources import DatasetGroup
from local_aws.personalize.scope import Scope
from local_aws.personalize.training import Source
from local_aws.personalize.validation import validate, without_nulls

if TYPE_CHECKING:
    from local_aws.rehearsal.training import StandIn

ConditionContext = Mapping[str, str | list[str]]
"""`aws:RequestTag/<key>`, `aws:TagKeys` and `aws:ResourceTag/<key>`, each where it applies."""

Authorizer = Callable[[str, str, ConditionContext], None]
"""Called with an action (`personalize:CreateRecommender`), a resource ARN (or `*`) and the
condition context; raises `ServiceError("AccessDeniedException", ...)` to deny."""

Answer = dict[str, Any]

_MAX_TAGS: Final = 50
_MAX_METADATA_COLUMNS: Final = 10
_MAX_RESULTS: Final = 500
_MAX_RESULTS_WITH_METADATA: Final = 50


@dataclass(frozen=True)
class Call:
    """One call, as the journal records it, whatever became of it."""

    time: float
    """Epoch seconds."""
    account: str
    region: str
    caller: str
    operation: str
    resource_arn: str
    """The resource of the call; `*` for lists, empty if the request named none."""
    outcome: str
    """`OK` or the error code."""
    mutating: bool
    """Whether the operation is one that changes something when it succeeds."""


@dataclass(frozen=True)
class _Request(Scope):
    params: Mapping[str, Any]
    now: float


class Personalize:
    """Amazon Personalize in all accounts and regions, simulated in memory; thread-safe.

    Args:
        behaviour: All that can be adjusted; change it, or its fields, at any time.
        clock: Returns the time in epoch seconds. All statuses follow from it.

    Attributes:
        journal: Every call so far, in the order in which the calls were answered.
    """

    def __init__(self, behaviour: Behaviour, clock: Callable[[], float] = time.time) -> None:
        self.behaviour = behaviour
        self.clock = clock
        self.journal: list[Call] = []
        self._lock = threading.Lock()
        self._calls = 0
        self._dataset_groups: dict[str, DatasetGroup] = {}
        self._recommenders: dict[str, Recommender] = {}

    def seed_dataset_group(
        self,
        account: str,
        region: str,
        name: str,
        *,
        domain: Domain | None = "VIDEO_ON_DEMAND",
        status: str = ACTIVE,
        datasets: Iterable[str] = ("Interactions", "Items", "Users"),
        items: Sequence[Item] = CATALOGUE,
        data: str | None = None,
    ) -> str:
        """Put a dataset group in place, replacing one of the same name, and return its ARN.

        Args:
            account: Its account.
            region: Its region.
            name: Its name.
            domain: Its domain, None for a custom one.
            status: Its status.
            datasets: The types of its datasets.
            items: The rows of its Items dataset.
            data: The path of a folder that its datasets are imported from, instead of the two
                before. Recommenders for users are then trained on it, and fail if it is too little.

        Raises:
            ValueError: The folder cannot be imported; the text names the file and its problem.
        """
        arn = Scope(account, region).arn("dataset-group", name)
        counts = self.behaviour.event_type_counts
        source = (
            None if data is None else Source.read(data, now=self.clock(), event_type_counts=counts)
        )
        group = DatasetGroup(
            name=name,
            arn=arn,
            domain=domain,
            status=status,
            dataset_types=source.dataset_types if source else tuple(map(str.upper, datasets)),
            items=source.items if source else items,
            source=source,
            created=self.clock(),
        )
        with self._lock:
            self._dataset_groups[arn] = group
        return arn

    def call(
        self,
        operation: str,
        params: Mapping[str, Any],
        *,
        account: str,
        region: str,
        authorize: Authorizer | None = None,
        caller: str = "",
    ) -> Answer:
        """Answer one call of `caller` (a principal's ARN) to an API operation, by its API name.

        Raises:
            ServiceError: The error that AWS would answer.
        """
        known = _OPERATIONS.get(operation)
        scope = Scope(account, region)
        outcome = "InternalFailure"
        try:
            self._throttle()
            if known is None:
                raise ServiceError("UnknownOperationException", f"Unknown operation: {operation}")
            params = without_nulls(params)
            validate(operation, params, code=self.behaviour.validation_code)
            if authorize:  # outside the lock, since it may have to call the engine
                for action, arn, context in self._authorizations(operation, scope, params):
                    authorize(action, arn, context)
            with self._lock:
                request = _Request(account, region, params, self._catch_up())
                answer = known.run(self, request)
            outcome = "OK"
            return answer
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            self.journal.append(
                Call(
                    time=self.clock(),
                    account=account,
                    region=region,
                    caller=caller,
                    operation=operation,
                    resource_arn=known.resource_arn(scope, params) if known else "",
                    outcome=outcome,
                    mutating=known.mutating if known else False,
                )
            )

    def recommenders(self, account: str, region: str) -> list[Answer]:
        """Return the true state of all recommenders of an account and region, by name.

        Each is DescribeRecommender's answer with nothing hidden or stale, and has `tags`, a
        mapping. If it was trained on data, it also has `evaluation`: its metrics, how sure they
        are, and those of a popularity list.
        """
        return self._snapshot(Scope(account, region).arn("recommender", ""))

    def state(self) -> dict[str, Any]:
        """Return an overview of everything, made of JSON's types."""
        return {
            "simulation": "not AWS: a simulated Amazon Personalize",
            "time": self.clock(),
            "behaviour": dataclasses.asdict(self.behaviour),
            "datasetGroups": [
                group.describe() | {"datasets": list(group.datasets())}
                for group in list(self._dataset_groups.values())
            ],
            "recommenders": self._snapshot(""),
            "calls": len(self.journal),
        }

    def overview(self) -> list[Overview]:
        """Return all recommenders for the page that a person reads."""
        with self._lock:
            now = self._catch_up()
            return [one.overview(now, self.behaviour) for one in self._existing("", now)]

    def sources(self) -> dict[str, Source]:
        """Return the data of each dataset group that has some, by its ARN."""
        groups = list(self._dataset_groups.items())
        return {arn: group.source for arn, group in groups if group.source}

    def _snapshot(self, arn_prefix: str) -> list[Answer]:
        echo: Echo = "in full" if self.behaviour.echo == "in full" else "as set"
        truthful = dataclasses.replace(self.behaviour, stale_after_update=0, echo=echo)
        with self._lock:
            now = self._catch_up()
            return [
                one.describe(now, truthful) | {"tags": dict(one.tags)} | _evaluation(one.model(now))
                for one in self._existing(arn_prefix, now)
            ]

    # -- what calls have in common -------------------------------------------------------------

    def _throttle(self) -> None:
        with self._lock:
            self._calls += 1
            if self.behaviour.throttle_every and self._calls % self.behaviour.throttle_every == 0:
                raise ServiceError("ThrottlingException", "Rate exceeded")

    def _catch_up(self) -> float:
        """Finish trainings, start due ones, forget deleted recommenders; return the time."""
        now = self.clock()
        for arn, recommender in list(self._recommenders.items()):
            recommender.settle(now)
            recommender.retrain_if_due(now, self.behaviour)
            free_from = recommender.course.end + self.behaviour.ghost_after_delete
            if recommender.status(now) == GONE and free_from <= now:
                del self._recommenders[arn]
        return now

    def _authorizations(
        self, operation: str, scope: Scope, params: Mapping[str, Any]
    ) -> list[tuple[str, str, ConditionContext]]:
        """Return the action, resource and condition context of all that a call must be allowed.

        AWS does not document whether IAM checks CreateRecommender on the recipe, too, but AWS's own
        programs allow it there. A policy that passes this check also passes without it.
        """
        tags = {tag["tagKey"]: tag["tagValue"] for tag in params.get("tags", ())}
        keys = list(tags) or params.get("tagKeys", [])
        context: ConditionContext = {
            **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
            **({"aws:TagKeys": keys} if keys else {}),
        }
        arn = _OPERATIONS[operation].resource_arn(scope, params)
        required = [(f"personalize:{operation}", arn)]
        if operation == "CreateRecommender":
            named = (params["datasetGroupArn"], params["recipeArn"])
            required.extend((f"personalize:{operation}", on) for on in named)
            required.extend([("personalize:TagResource", arn)] if tags else [])
        with self._lock:
            return [(action, on, {**context, **self._resource_tags(on)}) for action, on in required]

    def _resource_tags(self, arn: str) -> ConditionContext:
        resource = self._recommenders.get(arn) or self._dataset_groups.get(arn)
        tags = resource.tags if resource else {}
        return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}

    def _existing(self, arn_prefix: str, now: float) -> list[Recommender]:
        return [
            recommender
            for arn, recommender in sorted(self._recommenders.items())
            if arn.startswith(arn_prefix) and recommender.status(now) != GONE
        ]

    def _own(self, request: _Request, arn: str) -> Recommender | None:
        """Return a recommender, or the ghost of one, of the account and region of the request."""
        own = arn.startswith(request.arn("recommender", ""))
        return self._recommenders.get(arn) if own else None

    def _recommender(self, request: _Request, arn: str) -> Recommender:
        recommender = self._own(request, arn)
        if recommender is None or recommender.status(request.now) == GONE:
            raise not_found("recommender", arn)
        return recommender

    def _is_visible(self, recommender: Recommender, now: float) -> bool:
        return now >= recommender.created + self.behaviour.not_found_after_create

    def _visible_recommender(self, request: _Request, arn: str) -> Recommender:
        recommender = self._recommender(request, arn)
        if not self._is_visible(recommender, request.now):
            raise not_found("recommender", arn)
        return recommender

    def _dataset_group(self, request: _Request, arn: str) -> DatasetGroup:
        own = arn.startswith(request.arn("dataset-group", ""))
        if not own or arn not in self._dataset_groups:
            raise not_found("dataset group", arn)
        return self._dataset_groups[arn]

    def _page(self, member: str, rows: Mapping[str, Answer], request: _Request) -> Answer:
        return page(member, rows, request.params, most=self.behaviour.page_size)

    # -- recommenders --------------------------------------------------------------------------

    def _create_recommender(self, request: _Request) -> Answer:
        params, now = request.params, request.now
        arn = request.arn("recommender", params["name"])
        group = self._dataset_group(request, params["datasetGroupArn"])
        recipe = _domain_recipe(request, group, params["recipeArn"], self.behaviour)
        config = params.get("recommenderConfig", {})
        configuration.check(config, recipe, group.dataset_types, self.behaviour)
        tags = _tags({}, params.get("tags", ()))
        if arn in self._recommenders:
            raise already_exists(arn)
        self._check_quotas(request, group)
        failure = self.behaviour.training_failure or _missing_dataset(group, recipe)
        source = group.source if recipe.domain == "VIDEO_ON_DEMAND" else None
        self._recommenders[arn] = Recommender(
            name=params["name"],
            arn=arn,
            dataset_group_arn=group.arn,
            recipe_arn=params["recipeArn"],
            recipe=recipe,
            tags=tags,
            created=now,
            course=creation(now, self.behaviour, failure),
            failure=failure,
            config=config,
            source=source,
            training=source.train(recipe.name, config) if source else None,
        )
        return {"recommenderArn": arn}

    def _check_quotas(self, request: _Request, group: DatasetGroup) -> None:
        in_region = self._existing(request.arn("recommender", ""), request.now)
        in_group = [one for one in in_region if one.dataset_group_arn == group.arn]
        for existing, quota in (
            (in_group, self.behaviour.recommenders_per_dataset_group),
            (in_region, self.behaviour.recommenders_per_region),
        ):
            if len(existing) >= quota:  # the text is the guide's for campaigns
                raise ServiceError(
                    "LimitExceededException",
                    f"Cannot create a recommender. More than {quota} resources in ACTIVE state. "
                    "Please delete some and try again.",
                )

    def _describe_recommender(self, request: _Request) -> Answer:
        recommender = self._visible_recommender(request, request.params["recommenderArn"])
        return {"recommender": recommender.describe(request.now, self.behaviour)}

    def _list_recommenders(self, request: _Request) -> Answer:
        group = request.params.get("datasetGroupArn")
        rows = {
            one.name: one.summarise(request.now, self.behaviour)
            for one in self._existing(request.arn("recommender", ""), request.now)
            if self._is_visible(one, request.now) and group in (None, one.dataset_group_arn)
        }
        return self._page("recommenders", rows, request)

    def _update_recommender(self, request: _Request) -> Answer:
        now, given = request.now, request.params["recommenderConfig"]
        recommender = self._recommender(request, request.params["recommenderArn"])
        if recommender.is_busy(now):
            raise in_use(recommender.arn)
        allowed = (ACTIVE, INACTIVE if self.behaviour.update_when_inactive == "accepted" else "")
        if (status := recommender.status(now)) not in allowed:  # inferred, text invented
            raise invalid(f"A recommender in {status} cannot be updated: {recommender.arn}")
        group = self._dataset_groups[recommender.dataset_group_arn]
        configuration.check(given, recommender.recipe, group.dataset_types, self.behaviour)
        old = recommender.config_in_force(now)
        new = configuration.after_update(old, given, self.behaviour)
        if configuration.same(old, new, recommender.recipe):  # seen, text invented
            raise invalid(f"The update changes nothing: {recommender.arn}")
        training = recommender.train(new)
        recommender.begin(
            Update.of(old, new, start=now, behaviour=self.behaviour, training=training)
        )
        return {"recommenderArn": recommender.arn}

    def _delete_recommender(self, request: _Request) -> Answer:
        now, arn = request.now, request.params["recommenderArn"]
        recommender = self._own(request, arn)
        if recommender is None:
            raise not_found("recommender", arn)
        is_ghost = recommender.status(now) == GONE
        is_held = recommender.is_updating(now) and (
            recommender.is_retraining(now) or self.behaviour.delete_during_update == "in_use"
        )
        if is_ghost or is_held or recommender.is_changing(now):
            raise in_use(arn)
        recommender.change("DELETE", GONE, start=now, seconds=self.behaviour.delete)
        return {}

    def _stop_recommender(self, request: _Request) -> Answer:
        recommender = self._settled(request, ACTIVE)
        recommender.change("STOP", INACTIVE, start=request.now, seconds=self.behaviour.stop)
        return {"recommenderArn": recommender.arn}

    def _start_recommender(self, request: _Request) -> Answer:
        recommender = self._settled(request, INACTIVE)
        recommender.change("START", ACTIVE, start=request.now, seconds=self.behaviour.start)
        return {"recommenderArn": recommender.arn}

    def _settled(self, request: _Request, status: str) -> Recommender:
        """Return the recommender if it is in `status`; codes are inferred, the text invented."""
        recommender = self._recommender(request, request.params["recommenderArn"])
        if recommender.is_busy(request.now):
            raise in_use(recommender.arn)
        if recommender.status(request.now) != status:
            raise invalid(f"The recommender is not {status}: {recommender.arn}")
        return recommender

    # -- tags ----------------------------------------------------------------------------------

    def _list_tags_for_resource(self, request: _Request) -> Answer:
        tags = self._tags_of(request)
        return {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]}

    def _tag_resource(self, request: _Request) -> Answer:
        tags = self._tags_of(request)
        tags.update(_tags(tags, request.params["tags"]))
        return {}

    def _untag_resource(self, request: _Request) -> Answer:
        tags = self._tags_of(request)
        for key in request.params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def _tags_of(self, request: _Request) -> dict[str, str]:
        """Return the tags, to be changed in place, of a recommender or a dataset group."""
        arn, now = request.params["resourceArn"], request.now
        if ":dataset-group/" in arn:
            return self._dataset_group(request, arn).tags
        recommender = self._visible_recommender(request, arn)
        strict = self.behaviour.tag_calls_during_change == "in_use"
        if recommender.is_retraining(now) or (strict and recommender.is_busy(now)):
            raise in_use(arn)
        return recommender.tags

    # -- recipes, dataset groups and datasets --------------------------------------------------

    def _list_recipes(self, request: _Request) -> Answer:
        domain = request.params.get("domain")
        rows = {
            recipe.name: recipe.summarise(request)
            for recipe in RECIPES.values()
            if domain in (None, recipe.domain)
        }
        return self._page("recipes", rows, request)

    def _describe_recipe(self, request: _Request) -> Answer:
        return {"recipe": _recipe(request, request.params["recipeArn"]).describe(request)}

    def _describe_dataset_group(self, request: _Request) -> Answer:
        group = self._dataset_group(request, request.params["datasetGroupArn"])
        return {"datasetGroup": group.describe()}

    def _list_datasets(self, request: _Request) -> Answer:
        group_arn = request.params.get("datasetGroupArn")
        rows = {
            dataset_arn: dataset
            for arn, group in self._dataset_groups.items()
            if arn.startswith(request.arn("dataset-group", "")) and group_arn in (None, arn)
            for dataset_arn, dataset in group.datasets().items()
        }
        return self._page("datasets", rows, request)

    def _describe_dataset(self, request: _Request) -> Answer:
        arn = request.params["datasetArn"]
        group_arn = arn.rpartition("/")[0].replace(":dataset/", ":dataset-group/")
        own = arn.startswith(request.arn("dataset", ""))
        group = self._dataset_groups.get(group_arn) if own else None
        if group is None or arn not in group.datasets():
            raise not_found("dataset", arn)
        return {"dataset": group.datasets()[arn] | {"datasetGroupArn": group_arn}}

    # -- recommendations -----------------------------------------------------------------------

    def _get_recommendations(self, request: _Request) -> Answer:
        """Answer without scores: Amazon Personalize does not show these for domain recommenders.

        Sources: "How recommendation scoring works" in the guide, and the saved outputs of
        amazon-personalize-immersion-day (Media_04_Inference, cell 15). A parameter that the recipe
        does not use is ignored (amazon-personalize-samples, issue 18).
        """
        params = request.params
        recommender = self._serving(request)
        group = self._dataset_groups[recommender.dataset_group_arn]
        config = recommender.config_in_force(request.now)
        columns = params.get("metadataColumns", {})
        if columns and not config.get("enableMetadataWithRecommendations"):  # inferred
            raise invalid(f"Metadata is not enabled for {recommender.arn}")
        asked = _metadata_columns(columns, group.items)
        most = _MAX_RESULTS_WITH_METADATA if asked else _MAX_RESULTS
        if (results := params.get("numResults", 25)) > most:  # text invented
            raise invalid(f"numResults must be at most {most}, not {results}")
        user = params.get("userId", "")
        item = params.get("itemId", "") if "itemId" in recommender.recipe.parameters else ""
        if model := recommender.model(request.now):
            best = [item_id for item_id, _ in model.recommend(user, results, item)]
        else:  # nothing tells users apart
            best = [one["ITEM_ID"] for one in group.items if one["ITEM_ID"] != item][:results]
        lower = self.behaviour.metadata_names == "lower case"
        names = {column: column.lower() if lower else column for column in asked}
        identity = f"{recommender.arn} {user} {item} {request.now}"
        return {
            "itemList": [
                {"itemId": item_id}
                | ({"metadata": _metadata(group.metadata.get(item_id, {}), names)} if asked else {})
                for item_id in best
            ],
            "recommendationId": f"RID-{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        }

    def _serving(self, request: _Request) -> Recommender:
        """Return the recommender of the request; all texts but the second are invented."""
        params = request.params
        if "recommenderArn" not in params or "filterArn" in params or params.get("promotions"):
            raise invalid("Campaigns, filters and promotions are not simulated")
        arn = params["recommenderArn"]
        recommender = self._own(request, arn)
        if recommender is None or recommender.status(request.now) != ACTIVE:
            raise invalid(f"{arn} does not exist or is not active yet.")
        missing = [name for name in recommender.recipe.parameters if not params.get(name)]
        if missing:
            raise invalid(f"{recommender.recipe.name} requires {', '.join(missing)}")
        return recommender


def _evaluation(model: "StandIn | None") -> Answer:
    """Return the evaluation of a trained model as a member of the state, if it has one."""
    evaluation = model.evaluation if model else None
    return {"evaluation": dataclasses.asdict(evaluation)} if evaluation else {}


def _metadata(row: Item, names: Mapping[str, str]) -> dict[str, str]:
    return {name: row[column] for column, name in names.items() if column in row}


def _domain_recipe(
    scope: Scope, group: DatasetGroup, recipe_arn: str, behaviour: Behaviour
) -> Recipe:
    """Return a recipe that recommenders of a dataset group can have."""
    if group.status != ACTIVE:  # inferred, text invented
        raise ServiceError("ResourceInUseException", f"dataset group is not ACTIVE: {group.arn}")
    if group.domain is None:  # the text is from amazon-personalize-samples, issue 136
        raise invalid("Please use a domains-specific Dataset Group to create the Recommender")
    recipe = _recipe(scope, recipe_arn)
    if recipe.domain != group.domain:  # text invented
        raise invalid(f"{recipe_arn} is not a recipe of domain {group.domain}")
    missing = _missing_dataset(group, recipe)
    if missing and behaviour.missing_dataset == "rejected":
        raise invalid(missing)
    return recipe


def _missing_dataset(group: DatasetGroup, recipe: Recipe) -> str | None:
    """Return why a recipe cannot be trained without a dataset, if one is missing; invented."""
    missing = [kind for kind in recipe.required if kind not in group.dataset_types]
    if not missing:
        return None
    return f"{recipe.name} requires a dataset of type {', '.join(missing)}: {group.arn}"


def _recipe(scope: Scope, arn: str) -> Recipe:
    recipe = RECIPES.get(arn.rpartition("/")[2])
    if recipe is None or arn != recipe.arn(scope):
        raise not_found("recipe", arn)
    return recipe


def _tags(existing: dict[str, str], given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the given tags, checked against the limits of a resource; the texts are invented."""
    tags = {tag["tagKey"]: tag["tagValue"] for tag in given}
    if len(tags) < len(given):
        raise invalid("Tag keys must be unique")
    if reserved := [key for key in tags if key.lower().startswith("aws:")]:
        raise invalid(f"Tag keys must not begin with aws: {', '.join(reserved)}")
    if len(existing | tags) > _MAX_TAGS:
        raise ServiceError("TooManyTagsException", f"A resource can have at most {_MAX_TAGS} tags")
    return tags


def _metadata_columns(columns: Mapping[str, list[str]], items: Sequence[Item]) -> list[str]:
    """Return the requested columns; their checks are inferred, not documented."""
    asked = columns.get("ITEMS", [])
    if columns.keys() - {"ITEMS"} or len(asked) > _MAX_METADATA_COLUMNS:
        raise invalid(f"metadataColumns is at most {_MAX_METADATA_COLUMNS} columns of ITEMS")
    known = items[0].keys() if items else ()
    if unknown := [column for column in asked if column not in known]:
        raise invalid(f"Not columns of the Items dataset: {', '.join(unknown)}")
    return asked


class _Operation(NamedTuple):
    run: Callable[[Personalize, _Request], Answer]
    resource: str = "*"
    """The member of a request that names its resource, or `*`."""
    mutating: bool = False

    def resource_arn(self, scope: Scope, params: Mapping[str, Any]) -> str:
        named = params.get(self.resource, "")
        if self.resource == "*" or not isinstance(named, str):
            return "*" if self.resource == "*" else ""
        return scope.arn("recommender", named) if self.resource == "name" else named


_OPERATIONS: Final[Mapping[str, _Operation]] = {
    "CreateRecommender": _Operation(Personalize._create_recommender, "name", True),
    "DescribeRecommender": _Operation(Personalize._describe_recommender, "recommenderArn"),
    "UpdateRecommender": _Operation(Personalize._update_recommender, "recommenderArn", True),
    "DeleteRecommender": _Operation(Personalize._delete_recommender, "recommenderArn", True),
    "StartRecommender": _Operation(Personalize._start_recommender, "recommenderArn", True),
    "StopRecommender": _Operation(Personalize._stop_recommender, "recommenderArn", True),
    "ListRecommenders": _Operation(Personalize._list_recommenders),
    "ListTagsForResource": _Operation(Personalize._list_tags_for_resource, "resourceArn"),
    "TagResource": _Operation(Personalize._tag_resource, "resourceArn", True),
    "UntagResource": _Operation(Personalize._untag_resource, "resourceArn", True),
    "ListRecipes": _Operation(Personalize._list_recipes),
    "DescribeRecipe": _Operation(Personalize._describe_recipe, "recipeArn"),
    "DescribeDatasetGroup": _Operation(Personalize._describe_dataset_group, "datasetGroupArn"),
    "ListDatasets": _Operation(Personalize._list_datasets),
    "DescribeDataset": _Operation(Personalize._describe_dataset, "datasetArn"),
    "GetRecommendations": _Operation(Personalize._get_recommendations, "recommenderArn"),
}
