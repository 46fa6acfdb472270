"""What moto works out anew for each request, worked out once."""

from __future__ import annotations

from functools import cache

from moto import backends


@cache
def install() -> None:
    """Mend moto's server, in this process, for good. Calling it again changes nothing.

    It lists the folders of its own package, with a look at each of them, twice per request and under a lock:
    a third of what a small request took.
    """
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
