"""The custom resources behind the Top picks recommender: what runs in the account.

Standard library and the Lambda runtime's boto3 only; nothing is bundled.
"""
