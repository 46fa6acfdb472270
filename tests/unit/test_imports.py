"""Imports go one way; found by reading the sources, not by running them."""

from __future__ import annotations

import ast
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"


@cache
def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted((SRC / package).rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """The dotted names a module imports, wherever in it; of ours the modules, of others what is written."""
    ours = modules(module.partition(".")[0])
    tree = ast.parse(ours[module].read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _imported_from(node, module, ours[module].name == "__init__.py")
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in ours else base for name in names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return frozenset(found)


def _imported_from(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    above = module.split(".")[: len(module.split(".")) + is_package - node.level]
    return ".".join([*above, *([node.module] if node.module else [])])


def reached(module: str) -> set[str]:
    """All that comes in with a module, through ours as well."""
    ours, seen, todo = modules("gluebook"), set(), [module]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += imports(one) if one in ours else ()
    return seen - {module}


def within(prefix: str) -> list[str]:
    found = [name for name in modules("gluebook") if name == prefix or name.startswith(f"{prefix}.")]
    assert found, prefix
    return found


def third_parties(names: set[str] | frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"gluebook"}


PURE = [
    *within("gluebook.core"),
    "gluebook.datasets",
    "gluebook.errors",
    "gluebook.framing",
    "gluebook.clock",
]


@pytest.mark.parametrize("module", PURE)
def test_decisions_need_nothing_but_python_and_each_other(module: str) -> None:
    assert third_parties(reached(module)) == set()
    allowed = {*within("gluebook.core"), "gluebook.datasets", "gluebook.errors"}
    assert {name for name in reached(module) if name.startswith("gluebook")} <= allowed


@pytest.mark.parametrize("module", within("gluebook.core"))
def test_decisions_know_no_clock_no_files_and_no_network(module: str) -> None:
    forbidden = {
        "time",
        "os",
        "pathlib",
        "io",
        "socket",
        "subprocess",
        "random",
        "uuid",
        "tempfile",
        "logging",
    }
    assert not {name.partition(".")[0] for name in imports(module)} & forbidden
    calls = [
        node
        for node in ast.walk(ast.parse(modules("gluebook")[module].read_text()))
        if isinstance(node, ast.Call)
    ]
    called = {ast.unparse(call.func) for call in calls}
    assert not called & {"open", "print", "datetime.now", "date.today", "datetime.utcnow"}


@pytest.mark.parametrize("room", ["gluebook.core", "gluebook.transforms", "gluebook.quality"])
def test_aws_is_not_known_where_data_is_transformed_and_decided(room: str) -> None:
    for module in within(room):
        found = reached(module)
        assert not [name for name in found if name.startswith(("gluebook.aws", "gluebook.steps", "boto"))], (
            module
        )


@pytest.mark.parametrize("module", within("gluebook.aws"))
def test_the_adapters_know_the_core_but_no_step(module: str) -> None:
    ours = {name for name in reached(module) if name.startswith("gluebook")}
    assert not {
        name
        for name in ours
        if not name.startswith(("gluebook.aws", "gluebook.core", "gluebook.errors", "gluebook.datasets"))
    }
    assert "pyspark" not in third_parties(reached(module))


# What works on Spark, and what starts that.
ON_SPARK = {"gluebook.steps.check", "gluebook.steps.tallies", "gluebook.steps.vouchers"}


@pytest.mark.parametrize("module", [name for name in within("gluebook.steps") if name not in ON_SPARK])
def test_a_step_that_does_not_work_on_rows_needs_no_spark(module: str) -> None:
    assert third_parties(reached(module)) <= {"boto3", "botocore"}


@pytest.mark.parametrize("module", sorted(ON_SPARK))
def test_what_works_on_spark_is_known_to_the_job_alone(module: str) -> None:
    assert "pyspark" in third_parties(imports(module))
    assert {name for name in modules("gluebook") if module in imports(name)} == {"gluebook.job"}


@pytest.mark.parametrize("module", within("gluebook.steps"))
def test_steps_know_neither_who_starts_them_nor_an_operators_view(module: str) -> None:
    starters = ("gluebook.functions", "gluebook.job", "gluebook.cli", "gluebook.status", "gluebook.notebook")
    assert not [name for name in reached(module) if name.startswith(starters)]


def test_the_functions_need_nothing_that_their_layer_lacks() -> None:
    # The layer has Gluebook alone; boto3 is there in every Lambda function, Spark and the like are not.
    assert third_parties(reached("gluebook.functions")) <= {"boto3", "botocore"}


def test_only_steps_and_what_starts_them_know_steps() -> None:
    starters = {*within("gluebook.steps"), "gluebook.functions", "gluebook.job", *within("gluebook.cli")}
    for module in modules("gluebook"):
        if module not in starters:
            assert not [name for name in imports(module) if name.startswith("gluebook.steps")], module


def test_the_laptop_knows_nothing_of_gluebook() -> None:
    assert modules("localaws")
    for module in modules("localaws"):
        assert not [name for name in imports(module) if name.partition(".")[0] == "gluebook"], module


def test_gluebook_knows_nothing_of_the_laptop_but_for_its_command_line() -> None:
    for module in modules("gluebook"):
        if not module.startswith("gluebook.cli"):
            assert not [name for name in imports(module) if name.partition(".")[0] == "localaws"], module


def test_no_module_imports_itself_by_a_detour() -> None:
    ours = modules("gluebook")
    graph = {module: {name for name in imports(module) if name in ours and name != module} for module in ours}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "handler", sorted((SRC.parent / "lambda").glob("*/handler.py")), ids=lambda path: path.parent.name
)
def test_a_handler_is_a_few_lines_that_import_one_function(handler: Path) -> None:
    text = handler.read_text(encoding="utf-8")
    tree = ast.parse(text)
    kinds = [type(node) for node in tree.body]
    assert len(text.splitlines()) <= 40
    assert kinds == [ast.Expr, ast.ImportFrom, ast.FunctionDef]
    [imported] = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert imported.module == "gluebook.functions"
