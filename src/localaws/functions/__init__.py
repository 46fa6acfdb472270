"""Lambda: deployed functions run in warm worker processes, cut off from this machine as they are on AWS."""

from .pool import Functions
from .warm import FunctionError

__all__ = ["FunctionError", "Functions"]
