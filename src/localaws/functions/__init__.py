"""Lambda: deployed functions run in warm worker processes, cut off from this machine as they are on AWS."""

from .errors import FunctionError
from .service import Functions

__all__ = ["FunctionError", "Functions"]
