"""Where the tests deploy: one account, one region, and a dataset group that is there.

It is the place of the local AWS, too. What a test expects is often written out all the same: an ARN
that is spelt is an oracle, one that is put together of constants is none.
"""

from typing import Final

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
PLACE: Final = f"arn:aws:personalize:{REGION}:{ACCOUNT}:"
"""What the ARNs of its resources of Personalize begin with."""
GROUP: Final = f"{PLACE}dataset-group/vod"
RECIPE: Final = "arn:aws:personalize:::recipe/aws-vod-top-picks"
