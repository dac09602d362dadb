"""Answer with the rows of a viewer's start page."""

import functools
import os
import time
from typing import Any

import boto3

PERSONALIZE = boto3.client("personalize-runtime")
SSM = boto3.client("ssm")


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, Any]]]:
    """Return three items of each row for ``event["viewer"]``, who has watched ``watched`` last."""
    viewer, watched = event["viewer"], event.get("watched")
    rows = {"Top picks for you": _items("TopPicks", userId=viewer)}
    if watched:
        rows["Because you watched"] = _items("BecauseYouWatched", userId=viewer, itemId=watched)
    rows["Trending now"] = _items("TrendingNow")
    return rows


def _items(row: str, **parameters: str) -> list[dict[str, Any]]:
    answer = PERSONALIZE.get_recommendations(
        recommenderArn=_recommender_arn(row, int(time.time() // 60)),
        numResults=3,
        metadataColumns={"ITEMS": ["TITLE"]},
        **parameters,
    )
    return [{"id": one["itemId"], "title": _title(one)} for one in answer["itemList"]]


def _title(item: dict[str, Any]) -> str | None:
    """Return an item's title; Personalize may name the column TITLE ``title``."""
    metadata = {name.upper(): value for name, value in item.get("metadata", {}).items()}
    return metadata.get("TITLE")


@functools.lru_cache(maxsize=10)
def _recommender_arn(row: str, _minute: int) -> str:
    """Return the ARN of a row's ready recommender; read its parameter once a minute."""
    parameter = SSM.get_parameter(Name=os.environ[f"{row}Parameter"])
    return str(parameter["Parameter"]["Value"])
