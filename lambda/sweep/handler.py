"""Looks, on a schedule, for what lost events have left behind."""

from gluebook.functions.handlers import on_schedule


def handler(event, context):
    return on_schedule(f"sweep {context.aws_request_id}")
