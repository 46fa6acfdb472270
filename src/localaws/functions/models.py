"""A deployed Lambda function as it is right now, and its code on disk."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.awslambda.models import lambda_backends

from ..endpoint import Endpoint
from ..errors import NotSupported
from .errors import FunctionError

# What Lambda's Python runtimes bring along, no more (AWS docs: "Runtime-included SDK versions").
_RUNTIME_MODULES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")

# AWS docs: "Defined runtime environment variables": Lambda refuses functions that set these.
_RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    )
)


def plain_name(name: str) -> str:
    """The function's name out of a name or an ARN; FunctionError for a version or alias."""
    parts = name.split(":")
    plain = parts[6] if name.startswith("arn:") else parts[0]
    qualifier = parts[7:] if name.startswith("arn:") else parts[1:]
    if qualifier not in ([], ["$LATEST"]):
        raise FunctionError("NotSupported", f"function {name}: versions and aliases; only $LATEST")
    return plain


@dataclass(frozen=True)
class Deployed:
    """A function's configuration; `revision` changes whenever anything does that a worker must notice."""

    name: str
    arn: str
    handler: str
    role_arn: str
    timeout_seconds: int
    memory_mb: int
    version: str
    layer_arns: tuple[str, ...]
    code_sha256: str
    variables: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def log_group(self) -> str:
        """Where Lambda writes the function's log."""
        return f"/aws/lambda/{self.name}"

    def new_log_stream(self) -> str:
        """A stream for one more worker, named as Lambda does it."""
        return f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{self.version}]{uuid.uuid4().hex}"

    @property
    def revision(self) -> str:
        """A short hash of all of it."""
        return hashlib.sha256(repr((self.variables, self)).encode()).hexdigest()[:16]


def read_deployed(lambda_client: Any, name: str) -> Deployed:
    """The function's present configuration.

    Raises NotSupported for container images and other runtimes than Python, botocore's ClientError
    (ResourceNotFoundException) for a function that isn't there.
    """
    found = lambda_client.get_function_configuration(FunctionName=name)
    if found.get("PackageType", "Zip") != "Zip":
        raise NotSupported(f"function {name}: PackageType {found['PackageType']}; only Zip")
    if not str(found.get("Runtime")).startswith("python3."):
        raise NotSupported(f"function {name}: Runtime {found.get('Runtime')}; only python3.x")
    variables = found.get("Environment", {}).get("Variables", {})
    if reserved := sorted(_RESERVED & set(variables)):
        raise NotSupported(
            f"function {name}: Lambda reserves the environment variables {', '.join(reserved)}"
        )
    return Deployed(
        name=found["FunctionName"],
        arn=found["FunctionArn"],
        handler=found["Handler"],
        role_arn=found["Role"],
        timeout_seconds=int(found.get("Timeout", 3)),
        memory_mb=int(found.get("MemorySize", 128)),
        version=str(found.get("Version", "$LATEST")),
        layer_arns=tuple(layer["Arn"] for layer in found.get("Layers", [])),
        code_sha256=found["CodeSha256"],
        variables=tuple(sorted((str(key), str(value)) for key, value in variables.items())),
    )


def unpack(endpoint: Endpoint, deployed: Deployed, folder: Path) -> tuple[Path, Path]:
    """Unpack the function's code and its layers below `folder`; returns the two folders (task, opt).

    Layers are unpacked into one folder in order, and later ones overwrite earlier ones, as in Lambda's /opt.
    """
    # In-process: the code's Location that moto's GetFunction gives can't be downloaded.
    backend = lambda_backends[endpoint.account][endpoint.region]
    task, opt = folder / "task", folder / "opt"
    opt.mkdir(parents=True)
    _extract(backend.get_function(deployed.name).code_bytes, task)
    for arn in deployed.layer_arns:
        _extract(backend.layers_versions_by_arn(arn).code_bytes, opt)
    return task, opt


def _extract(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(folder)


def layer_paths(opt: Path) -> list[str]:
    """Where Lambda's Python looks in the layers. AWS docs: "Layer paths for each Lambda runtime"."""
    versioned = opt / "python" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    return [str(versioned), str(opt / "python")]


def make_runtime_folder(folder: Path) -> Path:
    """A folder with what every function may import besides its own: links to boto3 and its needs."""
    folder.mkdir(parents=True)
    for name in _RUNTIME_MODULES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise NotSupported(f"functions need the module {name}, which isn't installed here")
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        (folder / source.name).symlink_to(source)
    return folder
