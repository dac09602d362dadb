"""The custom resources behind the Top picks recommender: what runs in the account.

Standard library and the SDK of the Lambda runtime only (botocore, the core of boto3); nothing is
bundled.
"""
