"""What holds after any sequence of calls and any passing of time."""

from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.place import ACCOUNT, REGION
from tests.unit.local_aws.personalize.simulation import ARN, Simulation, outcome

NEXT = {
    "absent": {"CREATE PENDING"},
    "CREATE PENDING": {"CREATE IN_PROGRESS"},
    "CREATE IN_PROGRESS": {"ACTIVE", "CREATE FAILED"},
    "CREATE FAILED": {"DELETE PENDING"},
    "ACTIVE": {"STOP PENDING", "DELETE PENDING"},
    "STOP PENDING": {"STOP IN_PROGRESS"},
    "STOP IN_PROGRESS": {"INACTIVE"},
    "INACTIVE": {"START PENDING", "DELETE PENDING"},
    "START PENDING": {"START IN_PROGRESS"},
    "START IN_PROGRESS": {"ACTIVE"},
    "DELETE PENDING": {"DELETE IN_PROGRESS"},
    "DELETE IN_PROGRESS": {"absent"},
}
STEP = 1.0
"""Seconds; shorter than every phase, so that no status is passed over."""

configs = st.fixed_dictionaries(
    {},
    optional={
        "minRecommendationRequestsPerSecond": st.integers(1, 3),
        "enableMetadataWithRecommendations": st.booleans(),
        "itemExplorationConfig": st.fixed_dictionaries(
            {"explorationWeight": st.sampled_from(["0.3", "0.30", "1"])}
        ),
        "trainingDataConfig": st.fixed_dictionaries(
            {"excludedDatasetColumns": st.sampled_from([{}, {"ITEMS": ["TITLE"]}])}
        ),
    },
)


class AnySequence(RuleBasedStateMachine):
    @initialize(
        semantics=st.sampled_from(["merge", "replace"]),
        retraining_every=st.sampled_from([None, 40.0]),
        ghost=st.sampled_from([0.0, 5.0]),
    )
    def begin(self, semantics: str, retraining_every: float | None, ghost: float) -> None:
        self.simulation = Simulation(
            create_pending=2,
            create_in_progress=8,
            update_pending=2,
            update_in_progress=3,
            update_semantics=semantics,
            retraining_every=retraining_every,
            ghost_after_delete=ghost,
        )
        self.seen: dict[str, Any] = {"status": "absent"}

    @rule(config=configs, failure=st.sampled_from([None, None, "no data"]))
    def create(self, config: dict[str, Any], failure: str | None) -> None:
        self.simulation.behaviour.training_failure = failure
        if outcome(lambda: self.simulation.create(config=config)) == "OK":
            assert self.seen["status"] == "absent"

    @rule(config=configs, failure=st.sampled_from([None, "no"]))
    def update(self, config: dict[str, Any], failure: str | None) -> None:
        self.simulation.behaviour.update_failure = failure
        if outcome(lambda: self.simulation.update(**config)) == "OK":
            assert self.seen["status"] == "ACTIVE"

    @rule(operation=st.sampled_from(["stop", "start", "delete"]))
    def change(self, operation: str) -> None:
        call = getattr(self.simulation.client, f"{operation}_recommender")
        outcome(lambda: call(recommenderArn=ARN))

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.simulation.clock.advance(STEP)
            self.compare()

    @invariant()
    def compare(self) -> None:
        """Compare the recommender with that of the last comparison."""
        existing = self.simulation.service.recommenders(ACCOUNT, REGION)
        now: dict[str, Any] = existing[0] if existing else {"status": "absent"}
        before, self.seen = self.seen, now
        if now["status"] != before["status"]:
            assert now["status"] in NEXT[before["status"]]
        elif now["status"] != "absent" and now["recommenderConfig"] != before["recommenderConfig"]:
            ended, latest = before["latestRecommenderUpdate"], now["latestRecommenderUpdate"]
            assert ended["status"] == "CREATE IN_PROGRESS"
            assert ended["recommenderConfig"] == now["recommenderConfig"]
            # A retraining that was due begins in the second in which the update ends.
            retrains = latest["creationDateTime"] != ended["creationDateTime"]
            assert latest["status"] == ("CREATE PENDING" if retrains else "ACTIVE")
            assert latest["recommenderConfig"] == now["recommenderConfig"]
        serves = now["status"] in {"ACTIVE", "INACTIVE"}
        assert not serves or "modelMetrics" in now
        assert outcome(self.simulation.describe) == ("OK" if existing else "ResourceNotFound")


AnySequence.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    database=None,
    phases=[Phase.generate],  # twenty steps are sooner read than made fewer, which takes minutes
)
TestAnySequence = AnySequence.TestCase
