"""Deploy a dataset group, its datasets with their imports, and a recommender in one stack.

The group's ARN is a token: CloudFormation knows it during the deployment. "Datasets and schemas" of
the Amazon Personalize Developer Guide describes the data. This example has been synthesised and not
been deployed: the local AWS has no dataset groups of CloudFormation.
"""

import json
from typing import Final

from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_personalize as personalize
from aws_cdk import aws_s3 as s3
from top_picks_recommender import TopPicksRecommender

DOMAIN: Final = "VIDEO_ON_DEMAND"
FIELDS: Final[dict[str, dict[str, object]]] = {
    "Interactions": {
        "USER_ID": "string",
        "ITEM_ID": "string",
        "EVENT_TYPE": "string",
        "TIMESTAMP": "long",
    },
    "Items": {
        "ITEM_ID": "string",
        "GENRES": ["string", "null"],
        "CREATION_TIMESTAMP": "long",
    },
}
"""The fields of each dataset, as far as the domain requires them."""

app = App()
stack = Stack(app, "Catalogue")

bucket = s3.Bucket.from_bucket_name(stack, "Data", app.node.get_context("data_bucket"))
role = iam.Role(stack, "ImportRole", assumed_by=iam.ServicePrincipal("personalize.amazonaws.com"))
bucket.grant_read(role)  # the bucket's own policy must let Personalize read it, too

group = personalize.CfnDatasetGroup(stack, "Group", name="catalogue", domain=DOMAIN)
recommender = TopPicksRecommender(stack, "TopPicks", dataset_group_arn=group.attr_dataset_group_arn)
for dataset_type, fields in FIELDS.items():
    schema = personalize.CfnSchema(
        stack,
        f"{dataset_type}Schema",
        name=f"catalogue-{dataset_type.lower()}",
        domain=DOMAIN,
        schema=json.dumps(
            {
                "type": "record",
                "name": dataset_type,
                "namespace": "com.amazonaws.personalize.schema",
                "fields": [
                    {
                        "name": name,
                        "type": kind,
                        **({"categorical": True} if name == "GENRES" else {}),
                    }
                    for name, kind in fields.items()
                ],
                "version": "1.0",
            }
        ),
    )
    dataset = personalize.CfnDataset(
        stack,
        dataset_type,
        name=f"catalogue-{dataset_type.lower()}",
        dataset_type=dataset_type,
        dataset_group_arn=group.attr_dataset_group_arn,
        schema_arn=schema.attr_schema_arn,
        dataset_import_job=personalize.CfnDataset.DatasetImportJobProperty(
            job_name=f"catalogue-{dataset_type.lower()}",
            data_source=personalize.CfnDataset.DataSourceProperty(
                data_location=bucket.s3_url_for_object(f"{dataset_type.lower()}.csv")
            ),
            role_arn=role.role_arn,
        ),
    )
    dataset.node.add_dependency(role)  # with its policy
    # Without this, the recommender would be created before the data of its training.
    recommender.node.add_dependency(dataset)
app.synth()
