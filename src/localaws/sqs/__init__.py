"""SQS queues under load: moto is too slow for it, and loses messages."""
