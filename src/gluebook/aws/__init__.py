"""The adapters to AWS. Nothing here decides anything; boto3 clients are handed in or made on demand."""
