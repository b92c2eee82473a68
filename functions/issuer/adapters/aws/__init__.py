"""Adapters on S3, DynamoDB and KMS."""
