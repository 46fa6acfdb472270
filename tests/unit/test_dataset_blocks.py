"""The template's blocks for each dataset: the same for all of them, and drift is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gluebook.contracts import CONTRACTS, Contract
from gluebook.deployment.build import project_root
from gluebook.deployment.dataset_blocks import logical_id, with_datasets
from gluebook.deployment.template import parse_template
from gluebook.errors import ConfigurationError

INFRA = project_root() / "infra"
OURS = tuple(CONTRACTS.values())


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A copy of the template beside its parts."""
    for name in ("pipeline.yaml", "dataset.yaml"):
        shutil.copy(INFRA / name, tmp_path)
    return tmp_path / "pipeline.yaml"


def parsed(template: Path, contracts: Iterable[Contract]) -> Mapping[str, Any]:
    """The template with blocks for these contracts."""
    template.write_text(with_datasets(template, contracts), encoding="utf-8")
    return parse_template(template)


def test_the_committed_template_is_what_the_contracts_say() -> None:
    template = INFRA / "pipeline.yaml"
    assert with_datasets(template, OURS) == template.read_text(encoding="utf-8")


@pytest.mark.parametrize("like", OURS, ids=lambda like: like.name)
def test_a_new_dataset_has_all_that_another_has_under_its_own_name(template: Path, like: Contract) -> None:
    alone = parsed(template, [like])
    with_new = parsed(template, [like, replace(like, name="ab_cd")])
    renamed = json.dumps(alone)
    for old, new in (
        (like.name, "ab_cd"),
        (logical_id(like.name), "AbCd"),
        (like.name.replace("_", "-"), "ab-cd"),
    ):
        renamed = renamed.replace(old, new)
    assert len(alone["Resources"]) < len(with_new["Resources"])
    assert json.loads(json.dumps(parsed(template, [replace(like, name="ab_cd")]))) == json.loads(renamed)
    assert with_new["Resources"].keys() == alone["Resources"].keys() | json.loads(renamed)["Resources"].keys()


def test_every_list_that_names_one_dataset_names_all_in_the_templates_order(template: Path) -> None:
    first = replace(OURS[0], name="aa")
    made = parsed(template, [first, *OURS])
    assert list(_function_variable(made, "JOBS")) == [
        *_function_variable(parse_template(INFRA / "pipeline.yaml"), "JOBS"),
        "aa",
    ]
    assert _function_variable(made, "CRAWLERS") == {
        name: f"${{{logical_id(name)}Crawler}}" for name in ("aa", *CONTRACTS)
    }
    assert {"Ref": "AaJob"} in made["Resources"]["JobEnded"]["Properties"]["EventPattern"]["detail"][
        "jobName"
    ]


def test_only_rows_that_are_appended_have_references_to_delete(template: Path) -> None:
    deletes = {
        contract.name: "/vouchers/"
        in json.dumps(_statement(parsed(template, [contract]), contract, "ClearAwayOwnWork"))
        for contract in OURS
    }
    assert deletes == {contract.name: contract.append for contract in OURS}


def test_writing_again_changes_nothing(template: Path) -> None:
    written = with_datasets(template, [replace(OURS[0], name="aa"), *OURS])
    template.write_text(written, encoding="utf-8")
    assert with_datasets(template, [replace(OURS[0], name="aa"), *OURS]) == written


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # END GENERATED\n\n  # For a job notebook", "\n  # For a job notebook"),
        ("  # GENERATED for each dataset: outputs\n", ""),
        ("  # GENERATED for each dataset: outputs\n", "    # GENERATED for each dataset: outputs\n"),
    ],
    ids=["no end", "no beginning", "another indentation"],
)
def test_comments_that_are_no_pair_are_refused(template: Path, old: str, new: str) -> None:
    text = template.read_text(encoding="utf-8")
    assert text.count(old) == 1
    template.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="needs its `# END GENERATED`"):
        with_datasets(template, OURS)


def test_a_part_that_is_not_there_is_named(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("dataset: outputs", "dataset: output"), encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"no part 'output' in dataset\.yaml; there are resources, job-arns"
    ):
        with_datasets(template, OURS)


def _function_variable(template: Mapping[str, Any], name: str) -> dict[str, str]:
    variables = template["Resources"]["Load"]["Properties"]["Environment"]["Variables"]
    value: dict[str, str] = json.loads(variables[name]["Fn::Sub"])
    return value


def _statement(template: Mapping[str, Any], contract: Contract, sid: str) -> Any:
    role = template["Resources"][f"{logical_id(contract.name)}JobRole"]["Properties"]
    [statement] = [one for one in role["Policies"][0]["PolicyDocument"]["Statement"] if one.get("Sid") == sid]
    return statement
