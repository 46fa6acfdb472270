"""The steps of the Lambda functions admit, load and sweep."""
