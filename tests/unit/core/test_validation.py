"""Bodies into Structs: each rule, the order of errors, and sentences that hold no submitted value."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from app.core.exceptions import ValidationError
from app.core.validation import (
    Boolean,
    Email,
    Rule,
    Uuid,
    build,
    check_uuid,
    checked_value,
    decode_object,
    integer,
    one_of,
    present,
    rules_of,
    slug,
    text,
)
from tests.support.properties import PROPERTY

NOT_A_STRING = "Input should be a valid string"
NOT_BLANK = "field cannot be blank"
NO_NUL = "Input should not contain NUL characters"
NOT_UNICODE = "Input should be valid Unicode text"
NOT_A_UUID = "Input should be a valid UUID"
NOT_AN_INTEGER = "Input should be a valid integer"
NOT_AN_EMAIL = "Input should be a plain email address"
NOT_JSON = "body: Input should be valid JSON"

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


class Thing(msgspec.Struct):
    """A body with every kind of field."""

    title: Annotated[str, text(5)]
    kind: Annotated[str, one_of("small", "large")]
    note: Annotated[str, text(10, trim=False)] | None = None
    count: Annotated[int, integer(1, 10)] = 1
    done: Boolean = False
    owner: Uuid | UnsetType | None = UNSET
    contact: Email | UnsetType = UNSET


def sentence(rule: Rule, value: object) -> str:
    """What a rule says against a value."""
    with pytest.raises(ValueError, match=r".+") as refused:
        rule.check(value)
    return str(refused.value)


def refusal(values: dict[str, Any]) -> str:
    """What is said against a body."""
    with pytest.raises(ValidationError) as refused:
        build(Thing, values)
    return refused.value.message


def rule_of(annotation: Any) -> Rule:
    """The rule in an annotation."""
    rule: Rule = annotation.__metadata__[0]
    return rule


# Text


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("a", "a"),
        ("  a b\t\n", "a b"),
        ("\u00a0\u2003a\u3000", "a"),
        ("12345", "12345"),
        ("  12345  ", "12345"),
        ("😀😀😀😀😀", "😀😀😀😀😀"),
        ("e\u0301", "e\u0301"),
        ("a\u200bb", "a\u200bb"),
    ],
)
def test_text_is_trimmed_and_then_counted(value: str, accepted: str) -> None:
    """In characters, not bytes; whatever Unicode calls a blank is trimmed."""
    assert text(5).check(value) == accepted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", NOT_BLANK),
        (" \t\r\n\u00a0\u2028", NOT_BLANK),
        ("123456", "String should have at most 5 characters"),
        ("1234 6", "String should have at most 5 characters"),
        ("a\x00", NO_NUL),
        ("\x00", NO_NUL),
        ("\ud83d", NOT_UNICODE),
        ("\ude00\ud83d", NOT_UNICODE),
        (None, NOT_A_STRING),
        (1, NOT_A_STRING),
        (True, NOT_A_STRING),
        (b"a", NOT_A_STRING),
        (["a"], NOT_A_STRING),
        ({}, NOT_A_STRING),
    ],
)
def test_text_that_is_refused(value: object, expected: str) -> None:
    """Each for its own reason."""
    assert sentence(text(5), value) == expected


def test_text_kept_as_typed() -> None:
    """Without trimming blanks count and stay, and blanks alone are something."""
    rule = text(5, trim=False)

    assert rule.check("  a  ") == "  a  "
    assert rule.check("   ") == "   "
    assert sentence(rule, "") == NOT_BLANK
    assert sentence(rule, "  a   ") == "String should have at most 5 characters"


def test_text_that_may_be_blank() -> None:
    """Empty is a value too."""
    assert text(5, blank=True).check("") == ""
    assert text(5, blank=True).check("   ") == ""
    assert text(5, blank=True, trim=False).check("   ") == "   "
    assert sentence(text(5, blank=True), "123456") == "String should have at most 5 characters"


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12))
def test_text_that_passes_passes_again(value: str) -> None:
    """What came out of a rule is left as it is by the same rule."""
    try:
        accepted = text(8).check(value)
    except ValueError:
        return

    assert text(8).check(accepted) == accepted
    assert 1 <= len(accepted) <= 8


# Words, numbers, truth values


@pytest.mark.parametrize("value", ["a", "Z", "0", "-", "_", "a-B_9", "x" * 64])
def test_slugs(value: str) -> None:
    """As they were given."""
    assert slug(64).check(value) == value


@pytest.mark.parametrize("value", ["", " a", "a ", "a\n", "a b", "a.b", "a/b", "é", "\u0660", "\uff41", "x" * 65])
def test_no_slugs(value: str) -> None:
    """ASCII letters, digits, hyphens and underscores only, and not too many of them."""
    assert sentence(slug(64), value) == "String should be 1 to 64 letters, digits, hyphens or underscores"


@pytest.mark.parametrize(("value", "wrong"), [(5, NOT_A_STRING), (["a"], NOT_A_STRING), ("a\x00", NO_NUL)])
def test_slugs_are_text(value: object, wrong: str) -> None:
    """Whatever else is wrong comes later."""
    assert sentence(slug(64), value) == wrong


@pytest.mark.parametrize("value", ["SMALL", "small ", "", None, 1, ["small"], {"small": 1}])
def test_only_the_words_themselves_pass(value: object) -> None:
    """Exactly as written; the sentence names them."""
    assert sentence(one_of("small", "medium", "large"), value) == "Input should be 'small', 'medium' or 'large'"
    assert sentence(one_of("small", "large"), value) == "Input should be 'small' or 'large'"
    assert sentence(one_of("huge"), value) == "Input should be 'huge'"


@pytest.mark.parametrize(
    ("value", "accepted"),
    [(1, 1), (65535, 65535), ("5432", 5432), (" 5432 ", 5432), ("+1", 1), ("00080", 80)],
)
def test_whole_numbers_also_as_text(value: object, accepted: int) -> None:
    """A form field sends text."""
    assert integer(1, 65535).check(value) == accepted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "Input should be greater than or equal to 1"),
        (-1, "Input should be greater than or equal to 1"),
        ("0", "Input should be greater than or equal to 1"),
        (65536, "Input should be less than or equal to 65535"),
        ("65536", "Input should be less than or equal to 65535"),
        (10**400, "Input should be less than or equal to 65535"),
        ("9" * 18, "Input should be less than or equal to 65535"),
        ("9" * 4000, NOT_AN_INTEGER),
        (True, NOT_AN_INTEGER),
        (5432.0, NOT_AN_INTEGER),
        ("5432.0", NOT_AN_INTEGER),
        ("5_432", NOT_AN_INTEGER),
        ("\u0665\u0664\u0663\u0662", NOT_AN_INTEGER),
        ("", NOT_AN_INTEGER),
        (None, NOT_AN_INTEGER),
        ([5432], NOT_AN_INTEGER),
    ],
)
def test_numbers_that_are_refused(value: object, expected: str) -> None:
    """Out of range, or no whole number."""
    assert sentence(integer(1, 65535), value) == expected


@pytest.mark.parametrize("value", [0, 1, "true", "", None, []])
def test_only_true_and_false_are_truth_values(value: object) -> None:
    """Nothing is guessed."""
    assert sentence(rule_of(Boolean), value) == "Input should be a valid boolean"
    assert rule_of(Boolean).check(True) is True
    assert rule_of(Boolean).check(False) is False


# Emails


@pytest.mark.parametrize(
    "address",
    [
        "a@b.co",
        "ada.lovelace+analytical@engines.example.com",
        "o'brien@example.com",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "1@2.3",
        "a@xn--bcher-kva.example",
        "jörg@bücher.example",
        "用户@例子.广告",
        "a@b-c.d-e.org",
        "A@B.CO",
        f"{'a' * 308}@example.com",
    ],
)
def test_plain_addresses_are_accepted_as_they_are(address: str) -> None:
    """In any script; blanks around are trimmed, the case stays."""
    assert rule_of(Email).check(f" {address}\n") == address


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "ada@.com",
        "ada@example.",
        "ada@example..com",
        "ada@-example.com",
        "ada@example-.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@@example.com",
        "ada@home@example.com",
        "ada lovelace@example.com",
        "ada@exa mple.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "mailto:ada@example.com",
        '"ada"@example.com',
        "ada@example.com, eve@example.com",
        "ada@example.com;eve@example.com",
        "ada@example.com eve@example.com",
        "ada(comment)@example.com",
        "ada@[127.0.0.1]",
        "ada@example.com\nBcc: eve@example.com",
        "ada\u200b@example.com",
        "ada@example.com\u202e",
        "ada\x07@example.com",
        "ada\\@example.com",
    ],
)
def test_what_is_no_plain_address(address: str) -> None:
    """No display name, no list, no header injection, nothing that cannot be seen."""
    assert sentence(rule_of(Email), address) == NOT_AN_EMAIL


def test_email_obeys_the_rules_of_text() -> None:
    """Blank, too long, NUL and broken Unicode are told as such."""
    rule = rule_of(Email)

    assert sentence(rule, "  ") == NOT_BLANK
    assert sentence(rule, f"{'a' * 309}@example.com") == "String should have at most 320 characters"
    assert sentence(rule, "a\x00@example.com") == NO_NUL
    assert sentence(rule, "\ud800@example.com") == NOT_UNICODE
    assert sentence(rule, 1) == NOT_A_STRING


@PROPERTY
@given(st.emails())
def test_real_addresses_are_accepted(address: str) -> None:
    """Whatever RFC 5322 writes without quotes."""
    assert rule_of(Email).check(address) == address


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "attack", ["a" * 320, "a." * 160, "a@" + "a-" * 159, "a@" + "a." * 159, "@" * 320, "a@" + "-" * 318]
)
def test_no_address_takes_long_to_refuse(attack: str) -> None:
    """The pattern does not run away."""
    for _ in range(50):
        sentence(rule_of(Email), attack)


# UUIDs


@PROPERTY
@given(st.uuids())
def test_uuids_are_read_in_any_case(identifier: uuid.UUID) -> None:
    """And answered in one."""
    assert check_uuid(str(identifier).upper()) == str(identifier)
    assert check_uuid(str(identifier)) == str(identifier)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ada",
        "00000000000040008000000000000000",
        "{00000000-0000-4000-8000-000000000000}",
        "urn:uuid:00000000-0000-4000-8000-000000000000",
        "00000000-0000-4000-8000-00000000000",
        "00000000-0000-4000-8000-0000000000000",
        "00000000-0000-4000-8000-00000000000g",
        "0000000-00000-4000-8000-000000000000",
        "0000000000-00-4000-8000-000000000000",
        " 0000000-0000-4000-8000-000000000000",
        "00000000-0000-4000-8000-00000000000\u0660",
        "-0000000-0000-4000-8000-000000000000",
        "0x000000-0000-4000-8000-000000000000",
        "00000000_0000_4000_8000_000000000000",
        None,
        0,
    ],
)
def test_other_spellings_of_uuids_are_refused(value: object) -> None:
    """Python's own parser would take some of them."""
    with pytest.raises(ValueError, match=NOT_A_UUID):
        check_uuid(value)


# Whole bodies

SMALLEST = {"title": "a", "kind": "small"}


def test_missing_fields_get_their_defaults() -> None:
    """What may be left out is left out."""
    assert build(Thing, SMALLEST) == Thing("a", "small", None, 1, False, UNSET, UNSET)


def test_all_fields_are_checked_and_normalised() -> None:
    """The Struct holds what the rules returned."""
    values = {"title": " a ", "kind": "large", "note": " n ", "count": "7", "done": True}
    owner = "ABCDEF00-0000-4000-8000-000000000000"

    thing = build(Thing, values | {"owner": owner, "contact": " Ada@Example.com "})

    assert thing == Thing("a", "large", " n ", 7, True, owner.lower(), "Ada@Example.com")


def test_fields_nobody_knows_are_ignored() -> None:
    """Whatever they are called and hold."""
    assert build(Thing, SMALLEST | {"id": object(), "": None, "__class__": 1, "Title": "b"}) == build(Thing, SMALLEST)


def test_first_error_is_that_of_the_first_field() -> None:
    """In the order of the schema, not of the body."""
    values: dict[str, Any] = {"done": 0, "count": 0, "note": "", "kind": "", "title": ""}
    told = []
    for name, better in (("title", "a"), ("kind", "small"), ("note", None), ("count", 1), ("done", False)):
        told.append(refusal(values))
        values[name] = better

    assert [message.split(":")[0] for message in told] == ["title", "kind", "note", "count", "done"]


def test_null_is_told_apart_from_missing() -> None:
    """Allowed where the schema allows it."""
    assert refusal({}) == "title: Field required"
    assert refusal({"title": None}) == "title: field cannot be null"
    assert refusal(SMALLEST | {"count": None}) == "count: field cannot be null"
    assert refusal(SMALLEST | {"contact": None}) == "contact: field cannot be null"
    assert build(Thing, SMALLEST | {"note": None, "owner": None}).owner is None


def test_present_fields_of_a_change() -> None:
    """A null that was sent is there, a field that was not sent is not."""
    assert "owner" not in present(build(Thing, SMALLEST))
    assert present(build(Thing, SMALLEST | {"owner": None}))["owner"] is None


@PROPERTY
@given(st.dictionaries(st.sampled_from(Thing.__struct_fields__), JSON_VALUES))
@example({"title": "canary-in-a-title"})
@example({"title": "a", "kind": "canary"})
def test_sentences_come_from_a_closed_set(values: dict[str, Any]) -> None:
    """So none can hold what was sent."""
    reasons = {
        "Field required",
        "field cannot be null",
        NOT_BLANK,
        NOT_A_STRING,
        NO_NUL,
        NOT_UNICODE,
        NOT_A_UUID,
        NOT_AN_INTEGER,
        NOT_AN_EMAIL,
        "Input should be a valid boolean",
        "Input should be 'small' or 'large'",
        "Input should be greater than or equal to 1",
        "Input should be less than or equal to 10",
        *(f"String should have at most {length} characters" for length in (5, 10, 320)),
    }

    try:
        build(Thing, values)
    except ValidationError as exc:
        refused = exc
    else:
        return

    field, _, reason = refused.message.partition(": ")
    assert field in Thing.__struct_fields__
    assert reason in reasons
    assert refused.__cause__ is None


def test_every_rule_describes_itself() -> None:
    """The document is made of the same rules."""
    rules = rules_of(Thing)

    assert list(rules) == list(Thing.__struct_fields__)
    assert {name for name, (_, nullable) in rules.items() if nullable} == {"note", "owner"}
    assert rules["kind"][0].schema == {"type": "string", "enum": ["small", "large"]}
    assert rules["owner"][0].schema == {"type": "string", "format": "uuid"}
    assert {"maxLength": 5, "minLength": 1}.items() <= rules["title"][0].schema.items()
    assert rules["count"][0].schema["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 10}


def test_checked_value_names_what_it_checked() -> None:
    """For paths and queries."""
    with pytest.raises(ValidationError) as refused:
        checked_value("query.limit", integer(1, 500), "501")

    assert refused.value.message == "query.limit: Input should be less than or equal to 500"
    assert (refused.value.status, refused.value.code) == (400, "validation")


# JSON


@PROPERTY
@given(st.dictionaries(st.text(), JSON_VALUES.filter(lambda value: "NaN" not in repr(value)), max_size=4))
def test_objects_come_out_as_they_went_in(values: dict[str, Any]) -> None:
    """Half surrogates and huge numbers included; NaN and Infinity are no JSON."""
    raw = json.dumps(values).encode()

    if b"NaN" in raw or b"Infinity" in raw:
        return
    assert decode_object(raw) == values


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-32"),
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": .5}',
        b'{"a": 0x10}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a" 1}',
        b"{} {}",
        b'{"a": "\n"}',
        b'{"a": "\\x41"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
    ],
)
def test_what_is_no_json(raw: bytes) -> None:
    """One sentence for all of it, and nothing of the input in the exception."""
    with pytest.raises(ValidationError) as refused:
        decode_object(raw)

    assert refused.value.message == NOT_JSON
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("raw", [b"null", b"[]", b"1", b'"a"', b"true"])
def test_json_that_is_no_object(raw: bytes) -> None:
    """A body is always an object."""
    with pytest.raises(ValidationError, match="body: Input should be an object"):
        decode_object(raw)


def test_of_a_repeated_key_the_last_counts() -> None:
    """As JSON parsers commonly do."""
    assert decode_object(b'{"a": 1, "a": 2}') == {"a": 2}
