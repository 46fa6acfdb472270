"""Personal data and credentials in records: what is masked, in fields, prose and the text that rejects keep."""

from __future__ import annotations

import hashlib
import hmac

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluebook.sources.app_logs.mongod import SOURCE as MONGOD
from gluebook.sources.support_tickets.helpdesk import SOURCE as HELPDESK
from gluebook.sources.support_tickets.servicenow import SOURCE as SERVICENOW
from gluebook.transforms.masking import mask_emails, pseudonymise
from gluebook.transforms.people import full_names, words_of
from gluebook.transforms.rows import Rows
from gluebook.transforms.tokens import mask_token_texts
from rows_kit import rows_of_fields

NOBODY: frozenset[str] = frozenset()
LONG = 1 << 20


def masked(text: str) -> str:
    return str(mask_emails(pa.array([text]))[0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("from ada@example.com to Bob", "from <masked> to Bob"),
        ("ada.x+y@mail.example.org!", "<masked>!"),
        ("zoë@bücher.example", "<masked>"),
        ("a@b", "a@b"),
        ("@ada said", "@ada said"),
        ('{"to":"ada@example.com"}', '{"to":"<masked>"}'),
    ],
)
def test_an_address_is_masked_and_what_stands_around_it_stays(text: str, wanted: str) -> None:
    assert masked(text) == wanted


def test_long_texts_beside_an_at_sign_are_read_once() -> None:
    """A pattern that tries again took half a minute for 64,000 letters, and 2,000 parts ended the process."""
    assert masked("a" * LONG + "@") == "a" * LONG + "@"
    assert masked("@" + "a" * LONG) == "@" + "a" * LONG
    assert masked("a@" + "b." * 20_000 + "c") == "<masked>"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Authorization: Bearer abcdefgh12345678 done", "Authorization: Bearer <masked> done"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic <masked>"),
        ("basic training of the model", "basic training of the model"),
        ("got eyJhbGciOiJIUzI1NiJ9abc.eyJzdWIi.sig_nature", "got <masked>"),
        ("eyJ is short", "eyJ is short"),
    ],
)
def test_a_credential_is_masked_and_its_scheme_stays(text: str, wanted: str) -> None:
    assert str(mask_token_texts(pa.array([text]))[0]) == wanted


def prose(text: str, everybody: frozenset[str] = NOBODY, **own: str) -> str:
    """The description of a ticket, masked."""
    fields = {"Ticket Description": text, **{name.replace("_", " "): value for name, value in own.items()}}
    rows = pseudonymise(rows_of_fields(HELPDESK, [fields]), HELPDESK, "a key", everybody)
    return str(rows["Ticket Description"][0])


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("Ada Example", "I am ADA\nexample, call me Ada", "I am <masked>, call me <masked>"),
        ("Ada Example", "ada is a name, Adams is another", "ada is a name, Adams is another"),
        ("Dr. Ada Example Jr.", "Ada-Example wrote", "<masked> wrote"),
        ("Ada B. Example", "B comes before C, says Ada", "B comes before C, says <masked>"),
        ("Ada Example", "Ada.... Example", "<masked>.... <masked>"),
        ("José Núñez", "JOSÉ NÚÑEZ was here", "<masked> was here"),
    ],
)
def test_a_records_own_person_is_masked_in_full_and_by_part(name: str, text: str, wanted: str) -> None:
    assert prose(text, Customer_Name=name) == wanted


def test_others_are_masked_only_if_they_are_named_in_full() -> None:
    others = frozenset({"Bob Sample Jones", "Bob Sample"})
    assert prose("Bob Sample-Jones and bob sample know, Bob does not", others) == (
        "<masked> and <masked> know, Bob does not"
    )


def test_the_full_names_of_a_batch_are_words_without_titles_and_without_addresses() -> None:
    people = ["Dr. Ada Example", "Ada  Example", "Bob", "ada@example.com", None, "..."]
    rows = rows_of_fields(HELPDESK, [{"Customer Name": name, "Customer Email": name} for name in people])
    assert full_names(rows, HELPDESK).to_pylist() == ["Ada Example"]
    assert words_of(pa.array(["Prof Dr Ada Example PhD", "!", None])).to_pylist() == [
        "Ada Example",
        None,
        None,
    ]


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_person_becomes_the_first_half_of_a_keyed_hash(people: list[str | None]) -> None:
    rows = rows_of_fields(SERVICENOW, [{"caller_id": person} for person in people])
    found = pseudonymise(rows, SERVICENOW, "a key", NOBODY)["caller_id"].to_pylist()
    same = [person and person.lower() if person and "@" in person else person for person in people]
    assert found == [
        None if one is None else hmac.new(b"a key", one.encode(), hashlib.sha256).hexdigest()[:32]
        for one in same
    ]


def quarantined(rows: Rows) -> list[str | None]:
    found: list[str | None] = rows.to_batch().column("_raw").to_pylist()
    return found


def test_only_rejects_keep_their_text_and_nobody_is_in_it() -> None:
    rows = rows_of_fields(SERVICENOW, [{"caller_id": 'Ada "Ace"', "opened_by": "ada@x.example"}] * 3)
    text = 'INC1,"Ada ""Ace""",ada@x.example,bob@y.example'
    with_raw = Rows(
        {**rows.columns, "_problem": pa.array([None, "unknown:status", "malformed_record"])},
        pa.array([text] * 3).take,
    )
    assert quarantined(pseudonymise(with_raw, SERVICENOW, "a key", NOBODY)) == [
        None,
        'INC1,"<masked>",<masked>,<masked>',
        'xxx9,"xxx ""xxx""",xxx@x.xxxxxxx,xxx@x.xxxxxxx',
    ]


def test_private_fields_of_a_reject_are_masked_where_they_are_the_whole_field() -> None:
    fields = {"Customer Age": "32", "Customer Gender": "Female", "Customer Name": "Ada Example"}
    rows = rows_of_fields(HELPDESK, [fields])
    with_raw = Rows(
        {**rows.columns, "_problem": pa.array(["unknown:status"])},
        pa.array(['1,"Ada Example",32, Female ,320']).take,
    )
    assert quarantined(pseudonymise(with_raw, HELPDESK, "a key", NOBODY)) == [
        '1,"<masked>",<masked>,<masked>,320'
    ]


def test_a_source_without_persons_keeps_a_rejects_text_without_addresses() -> None:
    rows = rows_of_fields(MONGOD, [{}])
    with_raw = Rows(
        {**rows.columns, "_problem": pa.array(["malformed_record"])}, pa.array(["{ada@x.example"]).take
    )
    assert quarantined(pseudonymise(with_raw, MONGOD, "a key", NOBODY)) == ["{<masked>"]
