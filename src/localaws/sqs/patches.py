"""What is changed in moto's SQS."""

from __future__ import annotations

from functools import cache

from moto.sqs import models
from moto.sqs.models import Queue, SQSBackend

from localaws.patches import Patches, add, around, replace
from localaws.sqs import queues

PATCHES = Patches(
    replace(Queue, "delete_message", queues.delete_message),
    replace(Queue, "messages", property(queues.visible)),
    replace(
        Queue, "approximate_number_of_messages", queues.counted(lambda queue: len(queues.visible(queue)))
    ),
    replace(Queue, "approximate_number_of_messages_delayed", queues.counted(queues.delayed)),
    replace(Queue, "approximate_number_of_messages_not_visible", queues.counted(queues.in_flight)),
    # A message that arrives would at once be received and given to the functions mapped to the queue: without
    # batching, window or concurrency limit, and by an invocation that needs Docker. The mappings stay, with Lambda.
    add(Queue, "lambda_event_source_mappings", property(lambda _: {}, lambda _queue, _mappings: None)),
    around(Queue, "_set_attributes", queues.set_attributes),
    around(Queue, "attributes", queues.attributes),
    replace(models, "camelcase_to_underscores", cache(models.camelcase_to_underscores)),
    replace(models, "generate_receipt_handle", queues.receipt_handle),
    replace(SQSBackend, "is_message_valid_based_on_retention_period", queues.is_retained),
    around(SQSBackend, "send_message", queues.without_counts),
    around(SQSBackend, "receive_message", queues.without_counts),
    around(SQSBackend, "receive_message", queues.receive_message),
    around(SQSBackend, "get_queue_attributes", queues.get_queue_attributes),
)
