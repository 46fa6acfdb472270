"""CloudWatch Logs: the streams that Lambda and Glue write."""

from localaws.logs.stream import LogStream

__all__ = ["LogStream"]
