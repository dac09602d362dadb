"""Write the stack's outputs for people, in Markdown, from the template's descriptions."""

from typing import Final

from lambdas.recommender import vocabulary as v
from stacks.metrics import OUTPUTS, measure

_METRICS: Final = """
## Metrics

Each is a number as text, or `n/a` where the service does not report it. AWS shows none of
[two recipes](../how-to/rows.md#choose-the-recipes).

| output | in `ModelMetrics` | meaning |
| --- | --- | --- |"""

_HEAD: Final = """\
# Outputs

Made by `make settings` from `stacks/metrics.py` and `lambdas/recommender/vocabulary.py`.

`cdk deploy` prints them, `--outputs-file outputs.json` writes them to a file, and
`aws cloudformation describe-stacks` shows them later. They are not exports. If another stack
imports an export, CloudFormation can neither change nor remove it ("Get exported outputs from a
deployed CloudFormation stack", User Guide). Then every replacement would fail after its training.
An application finds the recommender by an SSM parameter: see
[Consumers](../how-to/consumers.md).

| output | |
| --- | --- |"""

_TAIL: Final = """
- They are the values of DescribeRecommender at the last deployment of the recommender. Personalize
  retrains by itself every seven days, and the outputs do not follow.
- A tenth of the users is held out of the training. For each of them, the items of the newest tenth
  of the interactions are *relevant*. An item that a user has never seen cannot be relevant. So the
  metrics say little about items that would please.
- Compare only trainings on the same data. More, or other, events move the numbers by themselves.

Source: Personalize Developer Guide, "Evaluating an Amazon Personalize domain recommender".
"""


def markdown() -> str:
    """Return docs/reference/outputs.md."""
    return "\n".join(
        (
            _HEAD,
            *(f"| `{name}` | {text} |" for name, text in OUTPUTS.items()),
            "",
            "The stack has `QualityGate` only with `minimum_metrics` or `max_metric_regression`,",
            "and `ConsumerRoleArn` only with `consumers`.",
            "",
            "With [`recommenders`](../how-to/rows.md), the outputs of each recommender begin with",
            "its name, such as `TrendingNowRecommenderArn`; those of the empty name do not.",
            _METRICS,
            *(f"| `{name}` | `{key}` | {measure(name)} |" for name, key in v.METRICS.items()),
            _TAIL,
        )
    )
