"""Lambda: deployed functions run in warm worker processes, isolated from this machine as on AWS."""

from .errors import FunctionError
from .service import Functions

__all__ = ["FunctionError", "Functions"]
