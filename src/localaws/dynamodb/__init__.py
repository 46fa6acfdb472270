"""DynamoDB: transactions and size limits, which moto has not, or not as AWS."""
