"""Adapters to AWS, without decisions. boto3 sessions are passed in or created on demand."""
