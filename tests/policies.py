"""Writes the policies of the template's roles as JSON, for linters: python tests/policies.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from template_kit import EVERYTHING, planned, properties, roles, template


def main(folder: Path) -> None:
    """One file per role and policy, with every choice made that adds something to one."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.json"):
        stale.unlink()
    made = planned(template(), **EVERYTHING)
    for role in roles(made):
        for policy in properties(made, role)["Policies"]:
            text = json.dumps(policy["PolicyDocument"], indent=1)
            (folder / f"{role}-{policy['PolicyName']}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
