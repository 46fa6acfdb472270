"""Sessions share what AWS's services look like, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from gluebook.aws.sessions import _shared_loader, new_session


@pytest.fixture
def descriptions_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of service descriptions that were read since the test began."""
    read: list[str] = []
    load = JSONFileLoader.load_file

    def noted(self: JSONFileLoader, file_path: str) -> object:
        found = load(self, file_path)
        if found is not None:
            read.append(Path(file_path).name)
        return found

    monkeypatch.setattr(JSONFileLoader, "load_file", noted)
    return read


def test_a_service_is_described_once_for_all_sessions(descriptions_read: list[str]) -> None:
    new_session().client("sqs", region_name="eu-west-1")
    descriptions_read.clear()
    new_session().client("sqs", region_name="us-east-1")
    assert descriptions_read == []


def test_a_session_has_the_credentials_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(name: str) -> str:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", name)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        return str(new_session().get_credentials().access_key)

    assert [key("one"), key("other")] == ["one", "other"]


def test_sessions_of_many_threads_leave_the_searched_folders_as_they_are() -> None:
    new_session()
    before = list(_shared_loader().search_paths)
    with ThreadPoolExecutor(8) as threads:
        sessions = list(threads.map(lambda _: new_session(), range(50)))
    assert _shared_loader().search_paths == before
    assert all("dynamodb" in session.get_available_resources() for session in sessions)
