"""The SDK's clients, made when they are needed; where AWS is, is boto3's own to know."""

import os
from typing import Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from lambdas.recommender.aws.errors import PermanentError
from operations.account import Account

_CONFIG: Final = Config(
    connect_timeout=10, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
)


def connect(region: str | None) -> tuple[Account, str]:
    """Return an account, as the credentials of the environment see it, and the region's name.

    `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` and the like count as they do for the AWS CLI.

    Raises:
        botocore.exceptions.BotoCoreError: no region is known.
        PermanentError: a setting of the SDK, such as an endpoint, is not as it must be.
    """
    try:
        # The AWS CLI and other SDKs read it, boto3 does not: boto/boto3 issue 3620
        session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
        cloudformation = session.client("cloudformation", config=_CONFIG)
        personalize = session.client("personalize", config=_CONFIG)
        for client in (cloudformation, personalize):
            _ = urlsplit(client.meta.endpoint_url).port  # none of which is over 65535
    except ValueError as error:
        raise PermanentError(
            f"{error} (a setting of the SDK: see AWS_ENDPOINT_URL and the like, and the profile)"
        ) from error
    return Account(cloudformation, personalize), cloudformation.meta.region_name
