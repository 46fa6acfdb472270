"""Deploying again, with the command of the README."""

from __future__ import annotations

import subprocess

from chain.kit import Chain
from gluebook.cli.deployment import STACK
from gluebook.deployment.build import project_root


def test_make_deploy_of_unchanged_sources_changes_nothing(chain: Chain) -> None:
    [stack] = chain.laptop.aws.endpoint.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    bucket = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}["ArtefactBucket"]
    # The other parameters keep their values; package and modules are found under their content's names.
    command = ["make", "--no-print-directory", "deploy", f"BUCKET={bucket}", f"STACK={STACK}"]
    done = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"No changes to deploy. Stack {STACK} is up to date" in done.stdout
