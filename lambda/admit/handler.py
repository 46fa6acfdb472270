"""Registers the file versions that SQS messages tell of, and tries to start their jobs."""

from gluebook.functions.handlers import on_messages


def handler(event, context):
    return on_messages(event, context.aws_request_id)
