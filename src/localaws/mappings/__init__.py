"""Event source mappings: queues drained into functions, by batch, as Lambda's pollers do it."""

from .service import Mappings

__all__ = ["Mappings"]
