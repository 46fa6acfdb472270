"""S3: what moto lacks of it, and the events of created objects."""

from localaws.s3.notifications import ObjectCreated, listen_to_objects, store

__all__ = ["ObjectCreated", "listen_to_objects", "store"]
