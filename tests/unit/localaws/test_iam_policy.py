"""The evaluator: AWS's evaluation order, wildcards, variables, conditions, principals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.errors import ApiError, NotSupported
from localaws.iam.policy import RESOURCE_POLICY, Decision, Need, Policy, decide
from localaws.iam.principals import Principal

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs/cleaner"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/cleaner/run-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
CLEANER = Principal(ACCOUNT, ROLE, SESSION)


def policy(*statements: dict[str, Any], kind: Any = "identity", version: str = "2012-10-17") -> Policy:
    return Policy.parse({"Version": version, "Statement": list(statements)}, kind)


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def ask(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::lake/a",
    context: dict[str, Any] | None = None,
    at_resource: list[dict[str, Any]] | None = None,
    boundary: list[dict[str, Any]] | None = None,
    principal: Principal = CLEANER,
    version: str = "2012-10-17",
) -> Decision:
    return decide(
        Need(action, resource),
        principal,
        context or {},
        [("own", policy(*statements, version=version))],
        policy(*at_resource, kind="resource") if at_resource is not None else None,
        policy(*boundary) if boundary is not None else None,
    )


def test_nothing_allowed_is_refused() -> None:
    decision = ask()
    assert not decision.allowed
    assert decision.reason == "because no identity-based policy allows the s3:GetObject action"


def test_an_explicit_deny_wins_over_an_allow() -> None:
    decision = ask(allow(), deny())
    assert not decision.allowed
    assert decision.reason == "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        ("arn:aws:s3:::lake/*", "arn:aws:s3:::lake/a/b", True),
        ("arn:aws:s3:::lake/*", "arn:aws:s3:::lake", False),
        ("arn:aws:s3:::lake/?", "arn:aws:s3:::lake/ab", False),
        ("arn:aws:s3:::Lake/*", "arn:aws:s3:::lake/a", False),
        ("arn:aws:s3:::lake/a.b", "arn:aws:s3:::lake/axb", False),
        ("*", "arn:aws:s3:::lake/line\nbreak", True),
        ("arn:aws:s3:::lake/[a]", "arn:aws:s3:::lake/[a]", True),
    ],
)
def test_a_resource_pattern_has_wildcards_and_minds_case(pattern: str, resource: str, fits: bool) -> None:
    assert ask(allow(resource=pattern), resource=resource).allowed is fits


@pytest.mark.parametrize("pattern", ["S3:getobject", "s3:Get*", "s3:GetObjec?", "*"])
def test_an_action_pattern_has_wildcards_and_does_not_mind_case(pattern: str) -> None:
    assert ask(allow(pattern)).allowed
    assert not ask(allow("s3:Put*")).allowed


def test_not_action_and_not_resource_mean_everything_else() -> None:
    everything_but_reading = {"Effect": "Allow", "NotAction": ["s3:Get*"], "Resource": "*"}
    assert not ask(everything_but_reading).allowed
    assert ask(everything_but_reading, action="s3:PutObject").allowed
    elsewhere = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::lake/*"}
    assert ask(allow(), elsewhere).allowed
    assert not ask(allow(), elsewhere, resource="arn:aws:s3:::raw/a").allowed


def test_a_variable_is_filled_in_and_what_it_brings_is_literal() -> None:
    own_folder = allow(resource="arn:aws:s3:::lake/${aws:userid}/*")
    mine = {"aws:userid": "AROA1:run-1"}
    assert ask(own_folder, resource="arn:aws:s3:::lake/AROA1:run-1/x", context=mine).allowed
    assert not ask(own_folder, resource="arn:aws:s3:::lake/AROA1:run-2/x", context=mine).allowed
    assert not ask(own_folder, resource="arn:aws:s3:::lake/any/x", context={"aws:userid": "*"}).allowed
    assert not ask(own_folder, resource="arn:aws:s3:::lake/${aws:userid}/x").allowed


def test_escaped_characters_and_defaults_of_variables() -> None:
    star = allow(resource="arn:aws:s3:::lake/${*}")
    assert ask(star, resource="arn:aws:s3:::lake/*").allowed
    assert not ask(star, resource="arn:aws:s3:::lake/a").allowed
    team = allow(resource="arn:aws:s3:::lake/${aws:PrincipalTag/team, 'common'}/*")
    assert ask(team, resource="arn:aws:s3:::lake/common/a").allowed
    assert ask(team, resource="arn:aws:s3:::lake/data/a", context={"aws:principaltag/team": "data"}).allowed


def test_variables_are_plain_text_in_the_old_language_version() -> None:
    own_folder = allow(resource="arn:aws:s3:::lake/${aws:userid}")
    found = ask(
        own_folder, resource="arn:aws:s3:::lake/me", context={"aws:userid": "me"}, version="2008-10-17"
    )
    assert not found.allowed


@pytest.mark.parametrize(
    ("operator", "wanted", "have", "holds"),
    [
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "Ab", "aB", True),
        ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
        ("StringLike", "logs/*", "logs/x", True),
        ("StringNotLike", "logs/*", "logs/x", False),
        ("ArnLike", "arn:aws:events:*:*:rule/e-*", "arn:aws:events:us-east-1:1:rule/e-1", True),
        ("ArnLike", "arn:aws:s*:*:*:*", "arn:aws:sns:us-east-1:1:t", True),
        ("ArnLike", "arn:aws:*:*:*:t", "arn:aws:sns:us-east-1:x:1:t", False),
        ("ArnEquals", "arn:aws:s3:::*", "arn:aws:s3:::lake", True),
        ("ArnNotEquals", "arn:aws:s3:::*", "arn:aws:s3:::lake", False),
        ("Bool", "true", "TRUE", True),
        ("Bool", False, "true", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", 10, "10.0", False),
        ("NumericLessThan", 10, "9", True),
        ("NumericLessThan", 10, "10", False),
        ("NumericLessThanEquals", 10, "10", True),
        ("NumericGreaterThan", 10, "10", False),
        ("NumericGreaterThanEquals", 10, "10", True),
        ("NumericLessThan", 10, "many", False),
        ("DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2026-01-02", "2026-01-01T23:59:59Z", False),
        ("DateEquals", "0", "1970-01-01T00:00:00Z", True),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "127.0.0.1", False),
        ("NotIpAddress", "10.0.0.0/8", "127.0.0.1", True),
        ("IpAddress", "::1", "::1", True),
        ("Null", "true", "there", False),
        ("Null", "false", "there", True),
    ],
)
def test_every_operator_compares_as_aws_says(operator: str, wanted: Any, have: str, holds: bool) -> None:
    assert ask(allow(Condition={operator: {"Test:Key": wanted}}), context={"test:key": have}).allowed is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("NumericLessThan", False),
        ("NumericLessThanIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_key_the_request_has_not(operator: str, holds: bool) -> None:
    assert ask(allow(Condition={operator: {"test:key": "1"}})).allowed is holds
    assert ask(allow(Condition={"Null": {"test:key": True}})).allowed


@pytest.mark.parametrize(
    ("operator", "values", "holds"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "x"), False),
        ("ForAnyValue:StringEquals", ("a", "x"), True),
        ("ForAnyValue:StringEquals", ("x", "y"), False),
        ("ForAllValues:StringNotEquals", ("x", "y"), True),
        ("ForAllValues:StringNotEquals", ("a", "y"), False),
        ("ForAnyValue:StringNotEquals", ("a", "y"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
    ],
)
def test_sets_of_values_are_quantified(operator: str, values: tuple[str, ...], holds: bool) -> None:
    statement = allow(Condition={operator: {"test:keys": ["a", "b"]}})
    assert ask(statement, context={"test:keys": values}).allowed is holds


def test_all_clauses_of_a_condition_must_hold() -> None:
    both = allow(Condition={"StringEquals": {"k:a": "1", "k:b": "2"}, "Bool": {"k:c": "true"}})
    context = {"k:a": "1", "k:b": "2", "k:c": "true"}
    assert ask(both, context=context).allowed
    assert not any(ask(both, context={**context, key: "no"}).allowed for key in context)


def test_a_variable_in_a_condition_is_filled_in() -> None:
    own = allow(Condition={"StringEquals": {"x:owner": "${aws:userid}"}})
    assert ask(own, context={"x:owner": "A:1", "aws:userid": "A:1"}).allowed
    assert not ask(own, context={"x:owner": "A:2", "aws:userid": "A:1"}).allowed
    assert not ask(own, context={"x:owner": "A:2"}).allowed
    like = allow(Condition={"StringLike": {"x:owner": "${aws:userid}*"}})
    assert ask(like, context={"x:owner": "A:12", "aws:userid": "A:1"}).allowed


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        (allow(Condition={"StringAlmost": {"a:b": "c"}}), "StringAlmost"),
        (allow(Condition={"BinaryEquals": {"a:b": "c"}}), "BinaryEquals"),
        (allow(Condition={"ForSomeValues:StringEquals": {"a:b": "c"}}), "ForSomeValues:StringEquals"),
        (allow(Sources="x"), "Sources"),
    ],
)
def test_what_is_not_known_is_refused_by_name(statement: dict[str, Any], names: str) -> None:
    with pytest.raises(NotSupported, match=names):
        Policy.parse({"Statement": statement})


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ({"Effect": "allow", "Action": "*", "Resource": "*"}, "Effect"),
        ({"Effect": "Allow", "Resource": "*"}, "Action"),
        ({"Effect": "Allow", "Action": "*"}, "Resource"),
        ({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}, "Action"),
        (allow(Principal="*"), "Principal"),
        (allow(Condition={"NumericEquals": {"a:b": "ten"}}), "ten"),
        (allow(Condition={"DateEquals": {"a:b": "soon"}}), "soon"),
        (allow(Condition={"ArnLike": {"a:b": "arn:aws:events:*"}}), "six parts"),
        (allow(Condition=["x"]), "Condition"),
    ],
)
def test_what_aws_would_not_take_is_malformed(statement: dict[str, Any], says: str) -> None:
    with pytest.raises(ApiError, match=f"MalformedPolicyDocument.*{says}"):
        Policy.parse({"Statement": [statement]})


def test_a_document_may_be_text_and_hold_one_statement() -> None:
    document = {"Version": "2012-10-17", "Statement": allow("s3:*")}
    as_text = json.dumps(document)
    for given_as in (document, as_text, as_text.encode(), json.dumps(as_text)):
        assert Policy.parse(given_as) == Policy.parse(document)
    with pytest.raises(ApiError, match="not JSON"):
        Policy.parse("{")
    with pytest.raises(ApiError, match="with a Statement"):
        Policy.parse({"Version": "2012-10-17"})


@pytest.mark.parametrize("who", ["*", {"AWS": "*"}, {"AWS": ROLE}, {"AWS": ["x", SESSION]}])
def test_a_resource_policy_that_names_the_caller_is_enough(who: Any) -> None:
    decision = ask(at_resource=[allow(Principal=who)])
    assert decision.allowed
    assert [grant.policy for grant in decision.grants] == [RESOURCE_POLICY]


@pytest.mark.parametrize("who", [{"AWS": ROOT}, {"AWS": ACCOUNT}])
def test_a_resource_policy_that_names_the_account_leaves_it_to_identity_policies(who: Any) -> None:
    assert not ask(at_resource=[allow(Principal=who)]).allowed
    assert ask(allow(), at_resource=[allow(Principal=who)]).allowed
    assert not ask(allow(), at_resource=[deny(Principal=who)]).allowed


def test_a_resource_policy_for_somebody_else_does_nothing() -> None:
    for who in ({"AWS": f"{ROLE}2"}, {"Service": "events.amazonaws.com"}, {"AWS": "210987654321"}):
        assert not ask(at_resource=[allow(Principal=who)]).allowed
        assert ask(allow(), at_resource=[deny(Principal=who)]).allowed


def test_an_explicit_deny_at_the_resource_wins() -> None:
    decision = ask(allow(), at_resource=[deny(Principal="*")])
    assert decision.reason == "with an explicit deny in a resource-based policy"
    tls_only = deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert ask(allow(), at_resource=[tls_only], context={"aws:securetransport": "true"}).allowed
    assert not ask(allow(), at_resource=[tls_only], context={"aws:securetransport": "false"}).allowed


def test_not_principal_excludes_a_session_only_if_account_role_and_session_are_listed() -> None:
    def deny_all_but(*names: str) -> dict[str, Any]:
        return {"Effect": "Deny", "NotPrincipal": {"AWS": list(names)}, "Action": "*", "Resource": "*"}

    assert ask(allow(), at_resource=[deny_all_but(ROOT, ROLE, SESSION)]).allowed
    for some in ((ROLE, SESSION), (ROOT, ROLE), (ROOT, SESSION)):
        assert not ask(allow(), at_resource=[deny_all_but(*some)]).allowed
    with pytest.raises(NotSupported, match="NotPrincipal with Effect Allow"):
        ask(at_resource=[{"Effect": "Allow", "NotPrincipal": "*", "Action": "*", "Resource": "*"}])


def test_principals_that_aws_does_not_have_are_refused_by_name() -> None:
    with pytest.raises(NotSupported, match="Robot"):
        ask(at_resource=[allow(Principal={"Robot": "x"})])
    with pytest.raises(NotSupported, match="role/clean"):
        ask(at_resource=[allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/clean*"})])


def test_a_service_is_let_in_by_the_resource_policy_only() -> None:
    events = Principal(ACCOUNT, service="events.amazonaws.com")
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/arrived"
    send = allow(
        "sqs:SendMessage",
        Principal={"Service": "events.amazonaws.com"},
        Condition={"ArnEquals": {"aws:SourceArn": rule}},
    )

    def sends(**more: Any) -> bool:
        return ask(action="sqs:SendMessage", principal=events, at_resource=[send], **more).allowed

    assert sends(context={"aws:sourcearn": rule})
    assert not sends(context={"aws:sourcearn": f"{rule}2"})
    assert not ask(action="sqs:SendMessage", at_resource=[send], context={"aws:sourcearn": rule}).allowed


@pytest.mark.parametrize("action", ["kms:Decrypt", "sts:AssumeRole"])
def test_keys_and_roles_must_let_the_caller_or_its_account_in(action: str) -> None:
    mine = allow(action)
    assert not ask(mine, action=action).allowed
    assert ask(mine, action=action, at_resource=[allow(action, Principal={"AWS": ROOT})]).allowed
    assert ask(action=action, at_resource=[allow(action, Principal={"AWS": ROLE})]).allowed
    assert not ask(mine, action=action, at_resource=[allow(action, Principal={"AWS": f"{ROLE}2"})]).allowed


def test_a_permissions_boundary_must_allow_too() -> None:
    assert ask(allow(), boundary=[allow("s3:*")]).allowed
    assert not ask(allow(), boundary=[allow("sqs:*")]).allowed
    assert not ask(boundary=[allow("s3:*")]).allowed
    assert not ask(allow(), boundary=[allow("s3:*"), deny()]).allowed


def test_a_condition_key_that_is_not_known_is_refused_where_it_matters() -> None:
    odd = allow(Condition={"StringEquals": {"s3:Weather": "fine"}}, Sid="Odd")

    def decided(statement: dict[str, Any], action: str) -> Decision:
        known = {"aws:userid"}.__contains__
        need = Need(action, "arn:aws:s3:::lake/a")
        return decide(need, CLEANER, {}, [("p", policy(allow("*"), statement))], known_key=known)

    with pytest.raises(NotSupported, match=r"s3:weather.*'Odd'"):
        decided(odd, "s3:GetObject")
    assert decided(odd, "s3:PutObject").allowed


def test_a_decision_names_every_grant_that_let_it_in() -> None:
    decision = ask(
        allow(["s3:Get*", "s3:List*"], ["arn:aws:s3:::lake/*", "arn:aws:s3:::raw/*"], Sid="Read"),
        allow("s3:Put*"),
    )
    assert [(one.policy, one.statement, one.action, one.resource) for one in decision.grants] == [
        ("own", "Read", "s3:Get*", "arn:aws:s3:::lake/*")
    ]


# ---- laws -----------------------------------------------------------------------------------------------

LAW = settings(max_examples=60, deadline=None)  # the machine is shared

_actions = st.sampled_from(["s3:GetObject", "s3:Get*", "s3:*", "*", "sqs:SendMessage", "s3:Put?bject"])
_resources = st.sampled_from(["*", "arn:aws:s3:::lake/*", "arn:aws:s3:::lake/a", "arn:aws:s3:::raw/*"])
_conditions = st.sampled_from(
    [
        None,
        {"StringEquals": {"k:a": "1"}},
        {"StringNotEquals": {"k:a": "1"}},
        {"StringLikeIfExists": {"k:b": "x*"}},
        {"ForAllValues:StringEquals": {"k:c": ["1", "2"]}},
        {"Null": {"k:a": "true"}},
    ]
)


@st.composite
def _statements(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> dict[str, Any]:
    body: dict[str, Any] = {"Effect": draw(st.sampled_from(effects))}
    body[draw(st.sampled_from(["Action", "NotAction"]))] = draw(st.lists(_actions, min_size=1, max_size=2))
    body[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(
        st.lists(_resources, min_size=1, max_size=2)
    )
    condition = draw(_conditions)
    return body if condition is None else {**body, "Condition": condition}


_requests = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["s3:GetObject", "s3:PutObject", "sqs:SendMessage"]),
        "resource": st.sampled_from(["arn:aws:s3:::lake/a", "arn:aws:s3:::raw/b"]),
        "context": st.fixed_dictionaries(
            {},
            optional={
                "k:a": st.sampled_from(["1", "2"]),
                "k:b": st.sampled_from(["x1", "y"]),
                "k:c": st.lists(st.sampled_from(["1", "2", "3"]), max_size=3).map(tuple),
            },
        ),
    }
)


@LAW
@given(st.lists(_statements(), max_size=5), _statements(("Allow",)), _requests)
def test_law_adding_an_allow_never_takes_a_permission_away(
    statements: list[dict[str, Any]], more: dict[str, Any], request: dict[str, Any]
) -> None:
    if ask(*statements, **request).allowed:
        assert ask(*statements, more, **request).allowed


@LAW
@given(st.lists(_statements(), max_size=5), _statements(("Deny",)), _requests)
def test_law_adding_a_deny_never_gives_a_permission(
    statements: list[dict[str, Any]], more: dict[str, Any], request: dict[str, Any]
) -> None:
    if ask(*statements, more, **request).allowed:
        assert ask(*statements, **request).allowed


@LAW
@given(st.lists(_statements(), max_size=5), _requests)
def test_law_a_deny_of_everything_always_wins(
    statements: list[dict[str, Any]], request: dict[str, Any]
) -> None:
    assert not ask(*statements, deny("*"), **request).allowed


@LAW
@given(
    st.lists(_statements(), max_size=5).flatmap(lambda s: st.tuples(st.just(s), st.permutations(s))),
    _requests,
)
def test_law_the_order_of_statements_does_not_matter(
    orders: tuple[list[dict[str, Any]], list[dict[str, Any]]], request: dict[str, Any]
) -> None:
    assert ask(*orders[0], **request).allowed == ask(*orders[1], **request).allowed


@LAW
@given(_statements(("Allow",)), _requests)
def test_law_what_is_allowed_names_its_grants_and_what_is_refused_names_none(
    statement: dict[str, Any], request: dict[str, Any]
) -> None:
    decision = ask(statement, **request)
    assert bool(decision.grants) is decision.allowed


@LAW
@given(st.text(max_size=12), st.dictionaries(st.just("aws:userid"), st.text(max_size=6)))
def test_law_a_text_fits_itself_as_a_pattern_when_its_special_characters_are_escaped(
    text: str, context: dict[str, str]
) -> None:
    escaped = "".join(f"${{{one}}}" if one in "*?$" else one for one in text)
    assert ask(allow(resource=escaped), resource=text, context=context).allowed
