"""The stack's outputs for people, in Markdown, from the descriptions that the template has."""

from typing import Final

from lambdas.recommender import vocabulary as v
from stacks.metrics import OUTPUTS, measure

_METRICS: Final = """
## Metrics

Each is a number as text, or `n/a` where the service does not report it.

| output | in `ModelMetrics` | what it says |
| --- | --- | --- |"""

_HEAD: Final = """\
# Outputs

Made by `make settings` from `stacks/metrics.py` and `lambdas/recommender/vocabulary.py`.

`cdk deploy` prints them, `--outputs-file outputs.json` writes them to a file, and
`aws cloudformation describe-stacks` shows them later. They are not exports: an export that another
stack imports can be neither changed nor removed ("Get exported outputs from a deployed
CloudFormation stack", User Guide), so that every replacement would fail after its training. An
application finds the recommender by an SSM parameter: see [Consumers](../how-to/consumers.md).

| output | |
| --- | --- |"""

_TAIL: Final = """
- They are what DescribeRecommender said when the recommender was last deployed. Personalize
  retrains by itself every seven days, and the outputs do not follow.
- *Relevant* means: among the newest tenth of the interactions of the tenth of the users that was
  held out of the training. What was never shown to a user cannot be relevant, so they say little
  about what would please.
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
            "`QualityGate` is there only with `minimum_metrics` or `max_metric_regression`, and",
            "`ConsumerRoleArn` only if there are `consumers`.",
            _METRICS,
            *(f"| `{name}` | `{key}` | {measure(name)} |" for name, key in v.METRICS.items()),
            _TAIL,
        )
    )
