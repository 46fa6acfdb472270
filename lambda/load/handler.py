"""Reacts to ended job runs, warehouse statements and crawls: starts the next run, loads what was published."""

from gluebook.functions.handlers import on_event


def handler(event, context):
    on_event(event, f"load {context.aws_request_id}")
