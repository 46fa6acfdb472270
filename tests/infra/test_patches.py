"""Changes to moto last exactly as long as those who made them, and are refused where moto is not what they expect."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from localaws.errors import NotSupported
from localaws.patches import Patches, add, around, replace


class Base:
    def inherited(self) -> str:
        return "base"


class Owner(Base):
    value = 1

    def method(self) -> str:
        return "own"

    @property
    def shown(self) -> str:
        return "shown"


@pytest.fixture
def owner() -> Any:
    """A class of this test's own."""
    return type("Owner", (Base,), {k: v for k, v in vars(Owner).items() if k != "__dict__"})


def louder(original: Any, it: Any) -> str:
    return f"{original(it)}!"


def test_every_kind_of_attribute_is_changed_and_is_afterwards_the_very_same(owner: Any) -> None:
    before = dict(vars(owner))
    patches = Patches(
        around(owner, "method", louder),
        around(owner, "inherited", louder),
        around(owner, "shown", louder),
        replace(owner, "value", 2),
        add(owner, "new", lambda it: "new"),
    )
    with patches:
        it = owner()
        assert (it.method(), it.inherited(), it.shown, it.value, it.new()) == (
            "own!",
            "base!",
            "shown!",
            2,
            "new",
        )
    assert dict(vars(owner)) == before
    assert owner().inherited() == "base"


@pytest.mark.parametrize("first", [0, 1])
def test_changes_of_one_attribute_end_in_any_order(owner: Any, first: int) -> None:
    before = vars(owner)["method"]
    patches = [
        Patches(around(owner, "method", lambda original, it, mark=mark: original(it) + mark)) for mark in "ab"
    ]
    for one in patches:
        one.apply()
    assert owner().method() == "ownab"
    patches[first].undo()
    assert owner().method() == "own" + "ba"[first]
    patches[1 - first].undo()
    assert vars(owner)["method"] is before


def test_what_two_have_applied_lasts_until_both_have_undone_it(owner: Any) -> None:
    patches = Patches(around(owner, "method", louder))
    patches.apply()
    patches.apply()
    assert owner().method() == "own!"
    patches.undo()
    assert owner().method() == "own!"
    patches.undo()
    patches.undo()  # once too often: nothing happens
    assert owner().method() == "own"
    patches.apply()
    assert owner().method() == "own!"
    patches.undo()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda owner: around(owner, "gone", louder), "Owner has no gone"),
        (lambda owner: replace(owner, "gone", 1), "Owner has no gone"),
        (lambda owner: add(owner, "method", louder), "Owner has method"),
    ],
)
def test_other_internals_are_refused_by_name_before_anything_is_changed(
    owner: Any, change: Any, message: str
) -> None:
    before = dict(vars(owner))
    with pytest.raises(NotSupported, match=message):
        Patches(replace(owner, "value", 2), change(owner)).apply()
    assert dict(vars(owner)) == before


# In a process of its own: other tests of this one may have a server running.
SNAPSHOT = """
import inspect, sys
from localaws.stack import LocalAws

def attributes():
    owners = [module for name, module in dict(sys.modules).items() if name.split(".")[0] == "moto"]
    owners += [it for module in owners for it in dict(vars(module)).values() if inspect.isclass(it)]
    return {
        (owner.__name__, name): value
        for owner in owners
        for name, value in dict(vars(owner)).items()  # copies: threads of services still import
        if name.isupper() or callable(value) or isinstance(value, property | staticmethod | classmethod)
    }

before = attributes()
with LocalAws(schedule_speed=None):
    during = attributes()
after = attributes()
assert len([key for key in before if before[key] is not during.get(key)]) > 60, "nothing is changed"
print(sorted(key for key in before if before[key] is not after.get(key)))
print(sorted(key for key in after if key in during and key not in before and during[key] is not after[key]))
"""


def test_starting_and_stopping_leaves_moto_as_it_was() -> None:
    done = subprocess.run([sys.executable, "-c", SNAPSHOT], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]\n[]", 0), done.stderr


def test_modules_are_changed_as_classes_are() -> None:
    module = ModuleType("moto_like")
    vars(module)["answer"] = lambda: 41
    with Patches(around(module, "answer", lambda original: original() + 1)):
        assert module.answer() == 42
    assert module.answer() == 41
