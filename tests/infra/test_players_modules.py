"""Additional Python modules of a job: a zip of wheels is what pip on Glue installs, in the versions that run here."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from infra.players_kit import Aws, aws, zipped  # noqa: F401
from localaws.errors import NotSupported
from localaws.jobs.arguments import check_arguments
from localaws.jobs.modules import check_bundle

URI = "s3://lib/a.gluewheels.zip"
NUMPY, SIX = version("numpy"), version("six")


def bundle(requirements: str, *wheels: str) -> bytes:
    return zipped({"wheels/requirements.txt": requirements, **{f"wheels/{wheel}": "" for wheel in wheels}})


def check(aws: Aws, body: bytes) -> None:  # noqa: F811
    s3: Any = aws.client("s3")
    s3.create_bucket(Bucket="lib")
    s3.put_object(Bucket="lib", Key="a.gluewheels.zip", Body=body)
    check_bundle(URI, s3)


@pytest.mark.parametrize("requirements", [f"numpy=={NUMPY}\nsix=={SIX}\n", "numpy\n"])
def test_a_zip_of_wheels_in_the_installed_versions_is_taken(aws: Aws, requirements: str) -> None:  # noqa: F811
    numpy = f"numpy-{NUMPY}-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"
    check(aws, bundle(requirements, numpy, f"six-{SIX}-py2.py3-none-any.whl"))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"no zip", "no zip file"),
        (zipped({"requirements.txt": "six"}), "there is no wheels/requirements.txt in it"),
        (bundle("six"), "no wheel of six"),
        (bundle(f"six=={SIX}", "six-1.0-py3-none-any.whl"), f"no wheel of six=={SIX}"),
        (bundle("six", "six-1.0-py3-none-any.whl"), f"six 1.0 is requested, version {SIX} is installed"),
        (bundle("no-such", "no_such-1-py3-none-any.whl"), "no-such is not installed here"),
        (bundle("numpy", f"numpy-{NUMPY}-cp312-cp312-manylinux_2_28_x86_64.whl"), "no wheel for Python 3.11"),
        (bundle("numpy", f"numpy-{NUMPY}-cp311-cp311-macosx_14_0_arm64.whl"), "no wheel for Python 3.11"),
        (bundle("numpy", f"numpy-{NUMPY}-cp311-cp311-manylinux_2_39_x86_64.whl"), "glibc 2.34"),
        (bundle("six", "six.whl"), "Invalid wheel filename"),
    ],
)
def test_what_pip_on_glue_would_not_install_so_is_refused_by_name(
    aws: Aws,  # noqa: F811
    body: bytes,
    named: str,
) -> None:
    with pytest.raises(NotSupported, match=named):
        check(aws, body)


@pytest.mark.parametrize(
    ("modules", "option", "named"),
    [
        (URI, "", "a zip of wheels needs --python-modules-installer-option --no-index"),
        ("six", "--no-index", "pip finds only what is in S3"),
        ("six", "--upgrade", "--upgrade: only --no-index"),
        ("s3://lib/a.zip", "", "a .whl or .gluewheels.zip"),
    ],
)
def test_the_installers_option_fits_what_is_installed(modules: str, option: str, named: str) -> None:
    arguments = {"--additional-python-modules": modules, "--python-modules-installer-option": option}
    with pytest.raises(NotSupported, match=named):
        check_arguments(arguments)
