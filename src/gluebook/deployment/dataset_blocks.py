"""What the CloudFormation template holds for each dataset: written from the contracts, between comments that say so.

The texts are the parts of `infra/dataset.yaml`. The template stays plain CloudFormation; the rest of it is written by
hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

from gluebook.contracts import Contract
from gluebook.errors import ConfigurationError

_BEGIN = "# GENERATED for each dataset:"
_END = "# END GENERATED"
_REGION = re.compile(rf"^( *){_BEGIN} (\S+)\n(?:(?! *{_BEGIN}).*\n)*?\1{_END}\n", re.MULTILINE)
_PART = re.compile(r"^# PART (\S+)\n", re.MULTILINE)
_EACH = re.compile(r"\[each (.+?)\]")
_IF_APPENDED = "  # if rows are appended"


def logical_id(dataset: str) -> str:
    """What the logical ids of a dataset's resources begin with: SupportTickets for support_tickets."""
    return "".join(word.capitalize() for word in dataset.split("_"))


def with_datasets(template: Path, contracts: Iterable[Contract]) -> str:
    """The text of `template`, with a block for each contract in every generated region.

    Datasets keep the order that they have in the template and new ones follow, so that lists of a deployed stack stay
    as they are. Raises ConfigurationError if the comments of a region are no pair, or if `dataset.yaml` lacks its
    part.
    """
    text = template.read_text(encoding="utf-8")
    _, *named = _PART.split((template.parent / "dataset.yaml").read_text(encoding="utf-8"))
    parts = dict(zip(named[::2], (part.strip("\n") for part in named[1::2]), strict=True))
    places = {each: text.find(f"\n  {logical_id(each.name)}Job:\n") for each in contracts}
    ordered = sorted(places, key=lambda each: (places[each] < 0, places[each], each.name))

    def region(found: re.Match[str]) -> str:
        margin, name = found.groups()
        if name not in parts:
            raise ConfigurationError(
                f"{template}: no part {name!r} in dataset.yaml; there are {', '.join(parts)}"
            )
        lines = "\n".join((f"{_BEGIN} {name}", _block(parts[name], ordered), _END))
        return indent(lines, margin) + "\n"

    written, regions = _REGION.subn(region, text)
    if not regions == text.count(_BEGIN) == text.count(_END):
        raise ConfigurationError(
            f"{template}: every `{_BEGIN} <part>` needs its `{_END}` with the same indentation"
        )
    return written


def _block(part: str, contracts: list[Contract]) -> str:
    """A part for all datasets; parts that hold blank lines stay apart from each other by one."""
    if _EACH.search(part):
        return _EACH.sub(lambda found: ", ".join(_named(found[1], each) for each in contracts), part)
    apart = "\n\n" if "\n\n" in part else "\n"
    return apart.join(_named(_lines(part, each), each) for each in contracts)


def _lines(part: str, contract: Contract) -> str:
    kept = (line for line in part.splitlines() if contract.append or not line.endswith(_IF_APPENDED))
    return "\n".join(line.removesuffix(_IF_APPENDED) for line in kept)


def _named(text: str, contract: Contract) -> str:
    names = {
        "Dataset": logical_id(contract.name),
        "dataset": contract.name,
        "data-set": contract.name.replace("_", "-"),
    }
    for placeholder, name in names.items():
        text = text.replace(f"<{placeholder}>", name)
    return text
