"""The stand-in for each recipe of the domain VIDEO_ON_DEMAND."""

from collections.abc import Mapping
from typing import Final

from local_aws.rehearsal.counted import MostPopular, TrendingNow
from local_aws.rehearsal.related import BecauseYouWatched, MoreLike
from local_aws.rehearsal.training import StandIn, TopPicks

TOP_PICKS: Final = TopPicks.recipe
STAND_INS: Final[Mapping[str, type[StandIn]]] = {
    one.recipe: one for one in (TopPicks, BecauseYouWatched, MoreLike, MostPopular, TrendingNow)
}
"""By the recipe's name, in the order in which a page shows them."""
