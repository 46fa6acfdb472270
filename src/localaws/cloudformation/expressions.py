"""A template's expressions: Ref, Fn::GetAtt, Fn::Sub and the others, and what they refer to.

AWS docs: "Intrinsic function reference", "Pseudo parameters reference".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.cloudformation.resource import Made, TemplateError
from localaws.cloudformation.shapes import text

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LOGIC = {"Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not"}
FUNCTIONS = {
    "Ref",
    "Fn::GetAtt",
    "Fn::Sub",
    "Fn::Join",
    "Fn::If",
    "Fn::Select",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::ImportValue",
    "Fn::Base64",
    *_LOGIC,
}
PSEUDO = {
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
NO_VALUE = object()


@dataclass(frozen=True)
class Reference:
    """A mention of another name in the template; `attribute` is None for a Ref."""

    name: str
    attribute: str | None


@dataclass(frozen=True)
class Scope:
    """What an expression may refer to. `made` grows while the stack is being deployed."""

    names: Mapping[str, Any]  # pseudo parameters and parameters
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    exports: Mapping[str, str]
    made: Mapping[str, Made]

    def resolve(self, expression: Any) -> Any:
        """The value of `expression`; NO_VALUE for AWS::NoValue. Raises TemplateError."""
        if isinstance(expression, list):
            return [value for item in expression if (value := self.resolve(item)) is not NO_VALUE]
        if not isinstance(expression, dict):
            return expression
        function = function_of(expression)
        if function:
            return self._apply(function, expression[function])
        resolved = {key: self.resolve(item) for key, item in expression.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def holds(self, condition: str) -> bool:
        """Whether the template's condition of that name is true. Raises TemplateError."""
        if condition not in self.conditions:
            raise TemplateError(f"Template error: condition {condition} is not defined")
        return self._test(self.conditions[condition])

    def _test(self, expression: Any) -> bool:
        if isinstance(expression, dict) and list(expression) == ["Condition"]:
            return self.holds(expression["Condition"])
        function = function_of(expression) if isinstance(expression, dict) else None
        if function not in _LOGIC:
            raise TemplateError(f"Template error: {expression!r} is not a condition")
        arguments = expression[function]
        if function == "Fn::Equals":
            left, right = (self.resolve(item) for item in _exactly(function, arguments, 2))
            return text(left) == text(right)
        if function == "Fn::Not":
            return not self._test(_exactly(function, arguments, 1)[0])
        tests = [self._test(item) for item in arguments]
        return all(tests) if function == "Fn::And" else any(tests)

    def _apply(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._ref(argument)
        if function == "Fn::GetAtt":
            return self._attribute(*attribute_reference(argument))
        if function == "Fn::Sub":
            return self._substitute(argument)
        if function == "Fn::If":
            name, then, otherwise = _exactly(function, argument, 3)
            return self.resolve(then if self.holds(name) else otherwise)
        if function == "Fn::Join":
            delimiter, parts = _exactly(function, argument, 2)
            return str(delimiter).join(text(part) for part in self._list(function, parts))
        if function == "Fn::Split":
            delimiter, whole = _exactly(function, argument, 2)
            return text(self.resolve(whole)).split(delimiter)
        if function == "Fn::Select":
            index, parts = _exactly(function, argument, 2)
            return self._pick(self._list(function, parts), self.resolve(index))
        if function == "Fn::FindInMap":
            return self._find([text(self.resolve(part)) for part in _exactly(function, argument, 3)])
        if function == "Fn::ImportValue":
            return self._import(text(self.resolve(argument)))
        if function == "Fn::Base64":
            return base64.b64encode(text(self.resolve(argument)).encode()).decode()
        raise TemplateError(f"Template error: {function} can only be used in the Conditions section")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.names:
            return self.names[name]
        return self._made(name).ref

    def _attribute(self, name: str, attribute: str) -> str:
        attributes = self._made(name).attributes
        if attribute not in attributes:
            raise TemplateError(f"Template error: resource {name} has no attribute {attribute} (Fn::GetAtt)")
        return attributes[attribute]

    def _made(self, name: str) -> Made:
        if name not in self.made:
            raise TemplateError(f"Template error: {name} is neither a parameter nor a resource that exists")
        return self.made[name]

    def _substitute(self, argument: Any) -> str:
        template, own = argument if isinstance(argument, list) else (argument, {})
        values = {name: text(self.resolve(value)) for name, value in own.items()}

        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in values:
                return values[name]
            value = self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)
            if isinstance(value, list) or value is NO_VALUE:
                raise TemplateError(f"Template error: ${{{name}}} in Fn::Sub is not a text")
            return text(value)

        return _VARIABLE.sub(replace, template)

    def _list(self, function: str, argument: Any) -> list[Any]:
        parts = self.resolve(argument)
        if not isinstance(parts, list):
            raise TemplateError(f"Template error: {function} needs a list, not {parts!r}")
        return parts

    def _pick(self, parts: list[Any], index: Any) -> Any:
        if not str(index).isdigit() or int(index) >= len(parts):
            raise TemplateError(f"Template error: Fn::Select cannot select index {index} of {len(parts)}")
        return parts[int(index)]

    def _find(self, keys: list[str]) -> Any:
        found: Any = self.mappings
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                raise TemplateError(f"Template error: Unable to get mapping for {'::'.join(keys)}")
            found = found[key]
        return found

    def _import(self, name: str) -> str:
        if name not in self.exports:
            raise TemplateError(f"No export named {name} found.")
        return self.exports[name]


def references(expression: Any) -> Iterator[Reference]:
    """Every parameter, pseudo parameter and resource mentioned in `expression`. Raises TemplateError."""
    if isinstance(expression, list):
        for item in expression:
            yield from references(item)
    if not isinstance(expression, dict):
        return
    function = function_of(expression)
    if function == "Ref":
        yield Reference(str(expression["Ref"]), None)
    elif function == "Fn::GetAtt":
        yield Reference(*attribute_reference(expression["Fn::GetAtt"]))
    elif function == "Fn::Sub":
        argument = expression["Fn::Sub"]
        template, own = argument if isinstance(argument, list) else (argument, {})
        yield from references(list(own.values()))
        for name in _VARIABLE.findall(template):
            if not name.startswith("!") and name not in own:
                owner, dot, attribute = name.partition(".")
                yield Reference(owner, attribute if dot else None)
    elif function == "Fn::If":
        yield from references(_exactly(function, expression[function], 3)[1:])
    else:
        for item in expression.values():
            yield from references(item)


def function_of(expression: Mapping[str, Any]) -> str | None:
    """The intrinsic function `expression` is a call of, None for a plain mapping. Raises TemplateError."""
    called = [key for key in expression if key == "Ref" or key.startswith("Fn::")]
    if not called:
        return None
    if len(expression) != 1 or called[0] not in FUNCTIONS:
        raise TemplateError(f"Template error: {', '.join(called)}: the laptop's CloudFormation can't do that")
    return called[0]


def attribute_reference(argument: Any) -> tuple[str, str]:
    """(logical id, attribute) of a Fn::GetAtt: "A.B.C", ["A", "B.C"] or ["A", "B", "C"]."""
    parts = argument.split(".") if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not all(isinstance(part, str) for part in parts):
        raise TemplateError(f"Template error: Fn::GetAtt needs a resource and an attribute, not {argument!r}")
    return parts[0], ".".join(parts[1:])


def _exactly(function: str, arguments: Any, count: int) -> list[Any]:
    if not isinstance(arguments, list) or len(arguments) != count:
        raise TemplateError(f"Template error: {function} takes a list of {count}, not {arguments!r}")
    return arguments
