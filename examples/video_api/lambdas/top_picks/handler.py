"""Answer with a viewer's top picks."""

import functools
import os
import time
from typing import Any

import boto3

PERSONALIZE = boto3.client("personalize-runtime")
SSM = boto3.client("ssm")


def handler(event: dict[str, Any], _context: object) -> list[dict[str, Any]]:
    """Return three items for the viewer ``event["viewer"]``, each with its title."""
    answer = PERSONALIZE.get_recommendations(
        recommenderArn=_recommender_arn(int(time.time() // 60)),
        userId=event["viewer"],
        numResults=3,
        metadataColumns={"ITEMS": ["TITLE"]},
    )
    return [{"id": one["itemId"], "title": _title(one)} for one in answer["itemList"]]


def _title(item: dict[str, Any]) -> str | None:
    """Return an item's title; Personalize may name the column TITLE ``title``."""
    metadata = {name.upper(): value for name, value in item.get("metadata", {}).items()}
    return metadata.get("TITLE")


@functools.lru_cache(maxsize=1)
def _recommender_arn(_minute: int) -> str:
    """Return the ARN of the ready recommender; read the parameter once a minute."""
    parameter = SSM.get_parameter(Name=os.environ["RECOMMENDER_ARN_PARAMETER"])
    return str(parameter["Parameter"]["Value"])
