"""The calls to AWS, and the meaning of its errors."""
