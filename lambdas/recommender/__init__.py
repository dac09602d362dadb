"""The custom resources behind the Top picks recommender: the code that runs in the account.

It uses only the standard library and the SDK of the Lambda runtime (botocore, the core of boto3);
nothing is bundled.
"""
