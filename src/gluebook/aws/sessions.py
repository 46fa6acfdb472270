"""Sessions of boto3 that share what they read of AWS's descriptions of its services.

Reading them is nine tenths of what a client costs: a tenth of a second of processor time. Credentials and
configuration are each session's own, so they are those of the environment at the time.
"""

from __future__ import annotations

import threading
from functools import cache

import botocore.session
from boto3.session import Session
from botocore.loaders import Loader

_making_a_session = threading.Lock()


def new_session() -> Session:
    """A session for the environment as it is now."""
    loader = _shared_loader()
    core = botocore.session.Session()
    core.register_component("data_loader", loader)
    with _making_a_session:
        session = Session(botocore_session=core)
        # Each session of boto3 adds boto3's own folder once more.
        loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    return session


@cache
def _shared_loader() -> Loader:
    loader: Loader = botocore.session.Session().get_component("data_loader")
    return loader
