"""Imports go one way; found by reading the sources, not by running them."""

from __future__ import annotations

import ast
import subprocess
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
            found |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
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


def room(module: str) -> str:
    """The folder of the package that a module is in, or the module itself where it stands in none."""
    return module.split(".")[1]


def in_rooms(*rooms: str) -> list[str]:
    found = [name for name in modules("gluebook") if name.count(".") and room(name) in rooms]
    assert {room(name) for name in found} == set(rooms)
    return found


def third_parties(names: set[str] | frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"gluebook"}


# Floors, from the ground up: a room imports rooms on floors below its own, and none beside it.
FLOORS = (
    {"errors", "clock", "sample"},
    {"contracts"},
    {"sources"},
    {"core", "transforms"},
    {"quality", "aws", "explore"},
    {"operations"},
    {"job", "functions", "deployment"},
    {"notebook"},
    {"report"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {name: floor for floor, rooms in enumerate(FLOORS) for name in rooms}


def test_every_room_has_a_floor() -> None:
    assert {room(name) for name in modules("gluebook") if name.count(".")} == set(FLOOR_OF)
    assert len(set(FLOOR_OF) - {"__main__"}) <= 18


@pytest.mark.parametrize("name", sorted(FLOOR_OF))
def test_imports_go_down(name: str) -> None:
    for module in in_rooms(name):
        ours = {each for each in imports(module) if each.startswith("gluebook.")}
        above = {each for each in ours if room(each) != name and FLOOR_OF[room(each)] >= FLOOR_OF[name]}
        assert not above, module


def test_no_module_imports_itself_by_a_detour() -> None:
    ours = modules("gluebook")
    graph = {module: {name for name in imports(module) if name in ours and name != module} for module in ours}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", in_rooms("contracts", "core"))
def test_decisions_need_nothing_but_python_and_each_other(module: str) -> None:
    assert third_parties(reached(module)) == set()


@pytest.mark.parametrize("module", in_rooms("core"))
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
        "gluebook.clock",
    }
    assert not {name if name in forbidden else name.partition(".")[0] for name in imports(module)} & forbidden
    calls = [
        node
        for node in ast.walk(ast.parse(modules("gluebook")[module].read_text()))
        if isinstance(node, ast.Call)
    ]
    called = {ast.unparse(call.func) for call in calls}
    assert not called & {"open", "print", "datetime.now", "date.today", "datetime.utcnow"}


@pytest.mark.parametrize("module", in_rooms("sources", "core", "transforms", "quality"))
def test_aws_is_not_known_where_data_is_transformed_and_decided(module: str) -> None:
    assert not third_parties(reached(module)) & {"boto3", "botocore"}


@pytest.mark.parametrize("module", in_rooms("job"))
def test_a_job_has_no_use_for_great_expectations(module: str) -> None:
    assert "great_expectations" not in third_parties(reached(module))


def test_a_job_starts_without_pandas_and_great_expectations() -> None:
    """Both take seconds to import; pyspark itself imports pandas on use only."""
    names = "print(*{name.partition('.')[0] for name in sys.modules})"
    code = f"import sys, {', '.join(in_rooms('job'))}; {names}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pyspark" in found.stdout.split()
    assert not {"pandas", "great_expectations"} & {*found.stdout.split()}


@pytest.mark.parametrize("module", in_rooms("aws", "operations", "functions"))
def test_what_runs_outside_a_job_needs_no_spark(module: str) -> None:
    assert "pyspark" not in third_parties(reached(module))


@pytest.mark.parametrize("module", in_rooms("functions"))
def test_the_functions_need_nothing_that_their_layer_lacks(module: str) -> None:
    # The layer has Gluebook alone; boto3 is there in every Lambda function, Spark and the like are not.
    assert third_parties(reached(module)) <= {"boto3", "botocore"}


def test_the_laptop_knows_nothing_of_gluebook() -> None:
    assert modules("localaws")
    for module in modules("localaws"):
        assert not [name for name in imports(module) if name.partition(".")[0] == "gluebook"], module


def test_gluebook_knows_nothing_of_the_laptop_but_for_its_command_line() -> None:
    for module in modules("gluebook"):
        if not module.startswith("gluebook.cli"):
            assert not [name for name in imports(module) if name.partition(".")[0] == "localaws"], module


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
    assert imported.module == "gluebook.functions.handlers"
