"""IAM roles of the local AWS, as the tests make and assume them."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Self

import boto3
from botocore.config import Config

from local_aws.engine import ACCOUNT, REGION, LocalAws


class Session:
    """Credentials of a principal of a local AWS, such as those that AssumeRole answers."""

    def __init__(self, aws: LocalAws, credentials: Mapping[str, str]) -> None:
        self._aws = aws
        self.environment = {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            **(
                {"AWS_SESSION_TOKEN": credentials["SessionToken"]}
                if "SessionToken" in credentials
                else {}
            ),
        }

    def client(self, service: str, *, region: str = REGION, **credentials: str | None) -> Any:
        """Return a boto3 client of a service.

        Args:
            service: Its name.
            region: Its region.
            credentials: Credentials that are to be used instead, as boto3 names them.
        """
        own = {name.lower(): value for name, value in self.environment.items()}
        return boto3.Session(region_name=region, **(own | credentials)).client(  # type: ignore[call-overload,arg-type]
            service, endpoint_url=self._aws.endpoint, config=Config(proxies={})
        )

    def assume(self, role_arn: str) -> "Session":
        """Return a session of another role."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")
        return Session(self._aws, answer["Credentials"])


class Role(Session):
    """A role that its account may assume, and a session of it."""

    def __init__(self, aws: LocalAws, *, account: str = ACCOUNT, name: str | None = None) -> None:
        self.name = name or f"role-{uuid.uuid4().hex[:8]}"
        self._iam = aws.client("iam", account=account)
        role = self._iam.create_role(
            RoleName=self.name, AssumeRolePolicyDocument=trust_document({"AWS": account})
        )
        self.arn: str = role["Role"]["Arn"]
        answer = aws.client("sts", account=account).assume_role(
            RoleArn=self.arn, RoleSessionName="test"
        )
        super().__init__(aws, answer["Credentials"])

    def may(
        self,
        action: str,
        resource: str,
        *,
        effect: str = "Allow",
        condition: Mapping[str, Any] | None = None,
    ) -> Self:
        """Give the role a policy."""
        statement = {"Effect": effect, "Action": action, "Resource": resource} | (
            {"Condition": condition} if condition else {}
        )
        self._iam.put_role_policy(
            RoleName=self.name,
            PolicyName=uuid.uuid4().hex,
            PolicyDocument=policy_document(statement),
        )
        return self

    def delete(self) -> None:
        """Delete the role."""
        for name in self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]:
            self._iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        self._iam.delete_role(RoleName=self.name)


def policy_document(*statements: Mapping[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust_document(principal: Mapping[str, str]) -> str:
    """Return a document that lets a principal assume a role."""
    return policy_document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
