"""The calls to AWS, and what its errors mean."""
