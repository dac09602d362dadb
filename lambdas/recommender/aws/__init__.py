"""The calls to Personalize, CloudFormation and CloudWatch, and the meaning of AWS's errors."""
