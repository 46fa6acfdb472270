"""SQS: queues under load, which moto is too slow for and loses messages of."""
