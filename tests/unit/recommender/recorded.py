"""What AWS has sent, as public records show it: ResponseURLs, requests, answers of Personalize.

Their forms only. Accounts, names and ids are changed; keys, tokens and signatures are gone. Each
has its source: a page of AWS, an issue, or a file that its text finds again in public repositories.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from .examples import SIGNATURE

AWS, CHINA = "amazonaws.com", "amazonaws.com.cn"
CUSTOM_RESOURCE: Final = "cloudformation-custom-resource-response"

ACCOUNT: Final = "111111111111"
STACK_UUID: Final = "1134083a-2608-1e91-9897-022501a2c456"
REQUEST_ID: Final = "5d478078-13e9-baf0-464a-7ef285ecc786"


def partition_of(region: str) -> str:
    """Return the partition of a region that is recorded."""
    return "aws-cn" if region.startswith("cn-") else "aws"


def stack_of(region: str) -> str:
    """Return the id of a stack."""
    place = f"{partition_of(region)}:cloudformation:{region}:{ACCOUNT}"
    return f"arn:{place}:stack/TopPicks/{STACK_UUID}"


# -- ResponseURLs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordedUrl:
    """The form of a ResponseURL.

    Attributes:
        region: the stack's.
        host: where it leads.
        query: its parameters, as they were named and in their order.
        sent: when it was signed, if it says so.
        source: where it is recorded.
    """

    region: str
    host: str
    query: str
    sent: str
    source: str

    @property
    def url(self) -> str:
        """The URL, of the stack and the request of these records."""
        key = quote(f"{stack_of(self.region)}|Recommender|{REQUEST_ID}", safe="/")
        return f"https://{self.host}/{key}?{self.query}"

    @property
    def suffix(self) -> str:
        """What ``AWS::URLSuffix`` is there."""
        return CHINA if partition_of(self.region) == "aws-cn" else AWS

    @property
    def signed(self) -> float | None:
        """When it was signed, in epoch seconds."""
        return datetime.fromisoformat(self.sent).timestamp() if self.sent else None


def _version_4(region: str, date: str, expires: int) -> str:
    credential = f"x%2F{date[:8]}%2F{region}%2Fs3%2Faws4_request"
    return (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-SignedHeaders=host"
        f"&X-Amz-Expires={expires}&X-Amz-Credential={credential}&X-Amz-Signature={SIGNATURE}"
    )


def _version_2(expires: int) -> str:
    return f"AWSAccessKeyId=x&Expires={expires}&Signature={SIGNATURE}%3D"


def _recorded(region: str, s3: str, date: str, source: str, *, expires: int = 7200) -> RecordedUrl:
    host = f"{CUSTOM_RESOURCE}-{region.replace('-', '')}.{s3}"
    query = _version_4(region, date, expires)
    return RecordedUrl(region, host, query, date, source)


def _recorded_before(region: str, s3: str, expires: int, source: str) -> RecordedUrl:
    host = f"{CUSTOM_RESOURCE}-{region.replace('-', '')}.{s3}"
    return RecordedUrl(region, host, _version_2(expires), "", source)


_LAMBDA_GUIDE: Final = "Using AWS Lambda with CloudFormation (Lambda Developer Guide)"

# Of each form, the oldest that was found, and the newest.
URLS: Final = (
    # until 2019: signature version 2, which does not say when it was made
    _recorded_before(
        "ap-northeast-1",
        "s3-ap-northeast-1.amazonaws.com",
        1478166440,
        "an event of the stack StatusPage20161103, kept in a comment of its function",
    ),
    _recorded_before("us-east-1", "s3-us-east-1.amazonaws.com", 1555451971, _LAMBDA_GUIDE),
    _recorded_before(
        "cn-north-1", "s3.cn-north-1.amazonaws.com.cn", 1555451971, f"{_LAMBDA_GUIDE}, China"
    ),
    _recorded_before(
        "us-east-1", "s3.amazonaws.com", 1549075566, "an event of the function LexProvisioner"
    ),
    # signature version 4
    _recorded(
        "cn-north-1",
        "s3.cn-north-1.amazonaws.com.cn",
        "20160818T140227Z",
        "SNSNotificationMessageCfnCustomCreate.java",
        expires=7199,
    ),
    _recorded(
        "us-east-1",
        "s3.amazonaws.com",
        "20210311T023358Z",
        "an event of the resource SelfSignedCert",
        expires=7199,
    ),
    _recorded(
        "us-east-2",
        "s3.us-east-2.amazonaws.com",
        "20191219T163659Z",
        "an event of the resource CleanDeletionCustomResource",
    ),
    _recorded(
        "eu-west-1",
        "s3-eu-west-1.amazonaws.com",
        "20210125T060251Z",
        "the test CustomResourceEventDeserialisationTest",
        expires=7199,
    ),
    _recorded(
        "ap-northeast-2",
        "s3.ap-northeast-2.amazonaws.com",
        "20221205T094209Z",
        "an event of the resource customInvokeLambda",
    ),
    _recorded(
        "us-west-2",
        "s3-us-west-2.amazonaws.com",
        "20240507T111010Z",
        "an event of the resource zeroEtlIntegration",
        expires=7199,
    ),
    RecordedUrl(
        "us-east-1",
        f"{CUSTOM_RESOURCE}-useast1.s3.us-east-1.amazonaws.com",
        "",
        "",
        "How do I delete a Lambda-backed custom resource that's stuck? (AWS Knowledge Center)",
    ),
    # with temporary credentials; of a wait condition, which the same service signs
    RecordedUrl(
        "us-west-2",
        "cloudformation-waitcondition-us-west-2.s3-us-west-2.amazonaws.com",
        f"X-Amz-Security-Token={'x' * 1100}%3D%3D&"
        f"{_version_4('us-west-2', '20260911T000811Z', 43199)}",
        "20260911T000811Z",
        "events of a stack with a WaitCondition, September 2026",
    ),
)

# -- requests ----------------------------------------------------------------------------------

_FUNCTION: Final = "function:TopPicks-Service-1A2B3C4D5E6F"


def _request(
    region: str,
    kind: str,
    *,
    resource_type: str = "AWS::CloudFormation::CustomResource",
    **members: Any,
) -> dict[str, Any]:
    """Return the members that every request has, and others; None leaves one out."""
    partition = partition_of(region)
    s3 = f"s3.{region}.{CHINA if partition == 'aws-cn' else AWS}"
    query = _version_4(region, "20200629T203715Z", 7200)
    host = f"{CUSTOM_RESOURCE}-{region.replace('-', '')}.{s3}"
    token = f"arn:{partition}:lambda:{region}:{ACCOUNT}:{_FUNCTION}"
    request = {
        "RequestType": kind,
        "ServiceToken": token,
        "ResponseURL": RecordedUrl(region, host, query, "", "").url,
        "StackId": stack_of(region),
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "primerinvoke",
        "ResourceType": resource_type,
        "ResourceProperties": {"ServiceToken": token, "FunctionName": "randomerror"},
        **members,
    }
    return {name: value for name, value in request.items() if value is not None}


def _properties(region: str, **others: Any) -> dict[str, Any]:
    token = f"arn:{partition_of(region)}:lambda:{region}:{ACCOUNT}:{_FUNCTION}"
    return {"ServiceToken": token, **others}


_XXXX: Final = f"arn:aws:cloudformation:us-east-1:xxxx:stack/xxxx/{STACK_UUID}"

REQUESTS: Final[Mapping[str, dict[str, Any]]] = {
    # Using AWS Lambda with CloudFormation (Lambda Developer Guide)
    "us-east-2, 2019, Create": _request("us-east-2", "Create"),
    # SNSNotificationMessageCfnCustomCreate.java, ...Update.java, ...Delete.java
    "cn-north-1, 2016, Create": _request("cn-north-1", "Create"),
    "cn-north-1, 2016, Update": _request(
        "cn-north-1",
        "Update",
        PhysicalResourceId="bgl-managed-7dddd67c-8ae2-4a3f-af41-a8cbf7130cb3",
        OldResourceProperties=_properties("cn-north-1", FunctionName="another"),
    ),
    "cn-north-1, 2016, Delete of an id that CloudFormation has invented": _request(
        "cn-north-1", "Delete", PhysicalResourceId="dropme-CIServerTest-1CSUXRDAWQ7WW"
    ),
    # the test customResourceResponse of bifravst
    "eu-central-1, 2020, Update with a map": _request(
        "eu-central-1",
        "Update",
        PhysicalResourceId="bifravst",
        ResourceProperties=_properties(
            "eu-central-1", Count="0", Nested={"thingGroupDescription": "Things"}
        ),
        OldResourceProperties=_properties(
            "eu-central-1", Count="0", Nested={"thingGroupDescription": "None"}
        ),
    ),
    # cloudformationCustomResourceUpdate.json, ...Delete.json (powertools-lambda-python)
    "us-east-1, 2023, Update of an account that is not shown": _request(
        "us-east-1",
        "Update",
        resource_type="Custom::MyType",
        StackId=_XXXX,
        PhysicalResourceId="xxxxxxxxx",
        OldResourceProperties=_properties("us-east-1", MyProps="old"),
    ),
    "us-east-1, 2023, Delete without a physical id": _request(
        "us-east-1", "Delete", resource_type="Custom::MyType", StackId=_XXXX
    ),
    # an event of the function echo-utility: ``ServiceTimeout`` is no property
    "eu-central-1, 2024, Create with a ServiceTimeout": _request(
        "eu-central-1", "Create", resource_type="Custom::EchoUtility", ServiceTimeout="30"
    ),
    # an event of a function that sets up a supabase-cluster: likewise
    "2024, Delete with a ServiceTimeout": _request(
        "us-east-1", "Delete", PhysicalResourceId="PhysicalResourceId", ServiceTimeout="70"
    ),
    # How do I delete a Lambda-backed custom resource that's stuck? (AWS Knowledge Center)
    "us-east-1, Delete without properties": _request(
        "us-east-1",
        "Delete",
        resource_type="Custom::PingTester",
        PhysicalResourceId="test-MyCustomResource-1URTEVUHSKSKDFF",
        ResourceProperties=None,
    ),
}

# -- answers of DescribeRecommender ------------------------------------------------------------

CREATED: Final = "2022-05-06T10:11:24.589000-07:00"
LAST_UPDATED: Final = "2022-05-06T10:34:33.270000-07:00"
RECOMMENDER: Final = "arn:aws:personalize:eu-west-1:111111111111:recommender/name123"
DATASET_GROUP: Final = "arn:aws:personalize:eu-west-1:111111111111:dataset-group/dsGroupName"

HEADERS: Final = {
    "date": "Tue, 27 Aug 2024 20:38:59 GMT",
    "content-type": "application/x-amz-json-1.1",
    "connection": "keep-alive",
    "x-amzn-requestid": "4115dbe0-136d-4c31-9072-ab976cd8dd07",
    "strict-transport-security": "max-age=47304000; includeSubDomains",
    "x-frame-options": "DENY",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
}
"""Media_03_Training.ipynb, cell 13 (amazon-personalize-immersion-day)."""


def _metrics(*values: float) -> dict[str, float]:
    """Return the metrics of a recommender for top picks, in the order that was printed."""
    names = (
        "coverage",
        "mean_reciprocal_rank_at_25",
        "normalized_discounted_cumulative_gain_at_10",
        "normalized_discounted_cumulative_gain_at_25",
        "normalized_discounted_cumulative_gain_at_5",
        "precision_at_10",
        "precision_at_25",
        "precision_at_5",
    )
    return dict(zip(names, values, strict=True))


DOCUMENTED: Final[Mapping[str, Any]] = {
    "recommenderArn": RECOMMENDER,
    "datasetGroupArn": DATASET_GROUP,
    "name": "name123",
    "recipeArn": "arn:aws:personalize:::recipe/aws-vod-top-picks",
    "modelMetrics": _metrics(0.27, 0.0379, 0.0513, 0.0828, 0.0405, 0.0102, 0.0091, 0.0136),
    "recommenderConfig": {},
    "creationDateTime": datetime.fromisoformat(CREATED).timestamp(),
    "lastUpdatedDateTime": datetime.fromisoformat(LAST_UPDATED).timestamp(),
    "status": "ACTIVE",
}
"""Evaluating an Amazon Personalize domain recommender (Developer Guide), times as on the wire.

It has no ``latestRecommenderUpdate``, and shows no member of its configuration.
"""

MEDIA_METRICS: Final = _metrics(0.0768, 0.2284, 0.268, 0.346, 0.242, 0.0566, 0.0415, 0.0868)
"""Media_03_Training.ipynb, cell 35 (amazon-personalize-immersion-day), 2024."""

_UPDATED: Final = DOCUMENTED["lastUpdatedDateTime"] + 86_400
_METADATA: Final = {"enableMetadataWithRecommendations": True}

ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "the guide's example": DOCUMENTED,
    # the same notebook, of a recommender created with this configuration, as if it were shown
    "the notebook's metrics": {
        **DOCUMENTED,
        "recommenderConfig": _METADATA,
        "modelMetrics": MEDIA_METRICS,
    },
    # "The modelMetrics key is null when the recommender is being created or deleted"
    # (DescribeRecommender, API reference)
    "null metrics": {**DOCUMENTED, "status": "CREATE IN_PROGRESS", "modelMetrics": None},
    # personalize_monitor.py (amazon-personalize-monitor) reads this member of every recommender
    "the minimum alone": {
        **DOCUMENTED,
        "recommenderConfig": {"minRecommendationRequestsPerSecond": 1},
    },
    # the notebook at 95b8e3b8, cells 32 and 34: updated to return metadata, ACTIVE after 15 minutes
    "an update": {
        **DOCUMENTED,
        "latestRecommenderUpdate": {
            "recommenderConfig": _METADATA,
            "creationDateTime": _UPDATED,
            "lastUpdatedDateTime": _UPDATED,
            "status": "CREATE IN_PROGRESS",
        },
    },
    "an update that has ended": {
        **DOCUMENTED,
        "recommenderConfig": _METADATA,
        "latestRecommenderUpdate": {
            "recommenderConfig": _METADATA,
            "creationDateTime": _UPDATED,
            "lastUpdatedDateTime": _UPDATED + 900,
            "status": "ACTIVE",
        },
    },
    # Error messages (Developer Guide)
    "a failure": {
        **DOCUMENTED,
        "status": "CREATE FAILED",
        "modelMetrics": None,
        "failureReason": "Dataset has fewer than 25 users with at least 2 interactions each.",
    },
    # the guide's page on stopping recommenders prints a blank where the API has a low line
    "a status with a blank": {**DOCUMENTED, "status": "STOP IN PROGRESS", "modelMetrics": {}},
}
