"""Members: every line of what the resource promises, on both databases, and that nobody can tell the two apart."""

from __future__ import annotations

import contextlib
import itertools
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import BACKENDS
from tests.support.properties import PROCESS_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import httpx

    from tests.support.databases import Backend

PATH = "/api/v1/members"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
NOT_FOUND = "Member not found"
EMAIL_TAKEN = "Member with this email already exists"
CHANGED_MEANWHILE = "It was changed by somebody else in the meantime"


class Members:
    """The resource, as a client of one sidecar sees it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.sidecar = backend.sidecar

    def create(self, name: object = "Ada", email: object = "ada@example.com", **more: object) -> dict[str, Any]:
        """Add a member, which has to succeed."""
        answer = self.post({"name": name, "email": email, **more})
        assert answer.status_code == 201, answer.text
        member: dict[str, Any] = answer.json()
        return member

    def post(self, body: object) -> httpx.Response:
        """Try to add one."""
        return self.sidecar.request("POST", PATH, json=body)

    def get(self, identifier: object) -> httpx.Response:
        """Read one."""
        return self.sidecar.request("GET", f"{PATH}/{identifier}")

    def patch(self, identifier: object, body: object, if_match: str | None = None) -> httpx.Response:
        """Try to change one."""
        return self.sidecar.request("PATCH", f"{PATH}/{identifier}", json=body, headers=_if_match(if_match))

    def delete(self, identifier: object, if_match: str | None = None) -> httpx.Response:
        """Try to delete one."""
        return self.sidecar.request("DELETE", f"{PATH}/{identifier}", headers=_if_match(if_match))

    def all(self) -> list[dict[str, Any]]:
        """The list, without what it tells of their work."""
        answer = self.sidecar.request("GET", PATH)
        assert answer.status_code == 200, answer.text
        members: list[dict[str, Any]] = answer.json()
        for member in members:  # nobody has work here
            assert (member.pop("open_tasks"), member.pop("last_update_at")) == (0, None)
        return members


def _if_match(value: str | None) -> dict[str, str]:
    return {} if value is None else {"If-Match": value}


@pytest.fixture
def members(any_backend: Backend) -> Members:
    """The resource on each database, without any member."""
    return Members(any_backend)


def assert_is_error(answer: httpx.Response, status: int, sentence: str, code: str) -> None:
    """The one shape of errors."""
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert answer.headers["Taskflow-Error-Code"] == code


# Adding


def test_created_member_is_answered_whole(members: Members) -> None:
    """Exactly the four fields, trimmed, active unless said otherwise, with a new canonical id."""
    answer = members.post({"name": "  Ada Lovelace\n", "email": " Ada@Example.com "})

    assert answer.status_code == 201
    created = answer.json()
    identifier = created.pop("id")
    assert created == {"name": "Ada Lovelace", "email": "Ada@Example.com", "active": True}
    assert identifier == str(uuid.UUID(identifier))
    assert uuid.UUID(identifier).version == 4
    assert members.get(identifier).json() == answer.json()
    assert members.all() == [answer.json()]


def test_inactive_member(members: Members) -> None:
    """May be created so, and is in the list."""
    created = members.create(active=False)

    assert created["active"] is False
    assert members.all() == [created]


def test_what_the_client_may_not_set_is_ignored(members: Members) -> None:
    """The id is the server's; fields nobody knows are dropped."""
    created = members.create(id=UNKNOWN_ID, role="admin", created_at="1970-01-01T00:00:00Z")

    assert created["id"] != UNKNOWN_ID
    assert set(created) == {"id", "name", "email", "active"}


LONGEST_NAME = "é" * 100
LONGEST_EMAIL = f"{'a' * 308}@example.com"


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "name: Field required"),
        ({"email": "nonsense"}, "name: Field required"),
        ({"name": "Ada"}, "email: Field required"),
        ({"name": None, "email": None}, "name: field cannot be null"),
        ({"name": "Ada", "email": None}, "email: field cannot be null"),
        ({"name": "Ada", "email": "a@b.co", "active": None}, "active: field cannot be null"),
        ({"name": "", "email": "a@b.co"}, "name: field cannot be blank"),
        ({"name": " \t\u00a0", "email": "a@b.co"}, "name: field cannot be blank"),
        ({"name": 7, "email": "a@b.co"}, "name: Input should be a valid string"),
        ({"name": f"{LONGEST_NAME}x", "email": "a@b.co"}, "name: String should have at most 100 characters"),
        ({"name": "A\x00", "email": "a@b.co"}, "name: Input should not contain NUL characters"),
        ({"name": "Ada", "email": " "}, "email: field cannot be blank"),
        ({"name": "Ada", "email": f"a{LONGEST_EMAIL}"}, "email: String should have at most 320 characters"),
        ({"name": "Ada", "email": "ada"}, "email: Input should be a plain email address"),
        ({"name": "Ada", "email": "ada@localhost"}, "email: Input should be a plain email address"),
        ({"name": "Ada", "email": "Ada <ada@example.com>"}, "email: Input should be a plain email address"),
        ({"name": "Ada", "email": "a@b.co,c@d.eu"}, "email: Input should be a plain email address"),
        ({"name": "Ada", "email": "a@b.co", "active": "yes"}, "active: Input should be a valid boolean"),
        ({"name": "Ada", "email": "a@b.co", "active": 1}, "active: Input should be a valid boolean"),
    ],
)
def test_rules_of_the_fields(members: Members, body: dict[str, Any], sentence: str) -> None:
    """The first broken one is told, and nothing is written."""
    assert_is_error(members.post(body), 400, sentence, "validation")
    assert members.all() == []


def test_longest_values_fit(members: Members) -> None:
    """Lengths count characters after trimming; also those whose folded form is longest fit into the index."""
    plain = members.create(f"  {LONGEST_NAME}  ", f"  {LONGEST_EMAIL}  ")
    # three characters when folded, and three bytes each
    wide = members.create("ΐ" * 100, f"{'ΐ' * 308}@example.com")
    astral = members.create("😀" * 100, f"{'𐐀' * 308}@example.com")

    assert plain["name"] == LONGEST_NAME
    assert plain["email"] == LONGEST_EMAIL
    assert sorted(member["id"] for member in members.all()) == sorted(m["id"] for m in (plain, wide, astral))


# One email, one member


ALIKE = [
    ("ada@example.com", "ADA@EXAMPLE.COM"),
    ("straße@example.com", "STRASSE@example.com"),
    ("groß@example.com", "GROẞ@EXAMPLE.COM"),
    ("σίσυφος@example.com", "ΣΊΣΥΦΟΣ@example.com"),
    ("élodie@example.com", "ÉLODIE@example.com"),
    ("ﬁnn@example.com", "FINN@example.com"),
    ("İpek@example.com", "i̇pek@example.com"),
    ("ada@BÜCHER.example", "ada@bücher.example"),
    ("𐐀@example.com", "𐐨@example.com"),
]
DIFFERENT = [
    ("élodie@example.com", "elodie@example.com"),
    ("élodie@example.com", "e\u0301lodie@example.com"),
    ("İpek@example.com", "ipek@example.com"),
    ("\u0131pek@example.com", "ipek@example.com"),
    ("a.da@example.com", "ada@example.com"),
    ("ada+x@example.com", "ada@example.com"),
    ("a_da@example.com", "axda@example.com"),
    ("a%@example.com", "ab@example.com"),
]


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_email_is_unique_without_regard_to_case(members: Members, first: str, second: str) -> None:
    """Unicode's case-folding, on both databases; each address stays as it was typed."""
    for one, other in ((first, second), (second, first)):
        created = members.create(email=one)

        assert_is_error(members.post({"name": "Eve", "email": other}), 409, EMAIL_TAKEN, "conflict")
        assert members.all() == [created]
        assert created["email"] == one
        members.delete(created["id"])


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_other_emails_are_others(members: Members, first: str, second: str) -> None:
    """What differs in more than case is somebody else."""
    members.create(email=first)
    members.create(email=second)

    assert len(members.all()) == 2


def test_broken_rule_is_told_before_a_taken_email(members: Members) -> None:
    """Validation comes first."""
    members.create()

    answer = members.post({"name": "Ada", "email": "ada@example.com", "active": 0})

    assert_is_error(answer, 400, "active: Input should be a valid boolean", "validation")


def test_email_is_free_again_after_delete_and_change(members: Members) -> None:
    """Nothing of a member stays behind."""
    first = members.create()
    members.delete(first["id"])
    second = members.create(email="ADA@example.com")
    members.patch(second["id"], {"email": "lovelace@example.com"})

    members.create()

    assert len(members.all()) == 2


def race(actions: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Run actions at the same moment."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], httpx.Response]) -> httpx.Response:
        start.wait(10)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def test_of_concurrent_duplicates_exactly_one_is_created(members: Members) -> None:
    """However they are written; the others are told that the email is taken."""
    for attempt in range(3):
        address = f"straße{attempt}@example.com"
        spellings = [address, address.upper(), address.replace("ß", "ss"), address.title()] * 4

        answers = race([partial(members.post, {"name": "Ada", "email": email}) for email in spellings])

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * (len(spellings) - 1)
        assert {answer.json()["error"] for answer in answers if answer.status_code == 409} == {EMAIL_TAKEN}
        assert len(members.all()) == attempt + 1


# Reading


def test_list_is_ordered_by_name_without_regard_to_case(members: Members) -> None:
    """By code point of the folded name, whatever collation the database has; then by id. Inactive ones included."""
    names = ["b", "A", "a", "B", "Z", "z", "É", "e", "é", "ß", "ss", "SS", "sS", "İ", "i", "_", "10", "9", "ﬁ", "fi"]
    names += ["Σ", "\u03c3", "ς", "ж", "Ж", "😀", "\uffee", "a b", "a-b", "ab", "A B", "'", '"', "Å", "å", "𐐀", "𐐨"]
    for number, name in enumerate(names):
        members.create(name, f"{number}@example.com", active=number % 3 != 0)

    listed = members.all()

    assert sorted(member["name"] for member in listed) == sorted(names)
    assert listed == sorted(listed, key=lambda member: (member["name"].casefold(), member["id"]))


def test_fifty_members(members: Members) -> None:
    """All of them in one answer, each exactly as it is read alone."""
    created = [members.create(f"Member {number:02}", f"{number}@example.com") for number in range(50)]

    listed = members.all()

    assert listed == created
    assert members.get(created[17]["id"]).json() == created[17]


def test_no_member_is_an_empty_list(members: Members) -> None:
    """An array all the same."""
    assert members.all() == []


def test_identifier_is_read_in_any_case(members: Members) -> None:
    """And answered canonical."""
    created = members.create()

    for spelling in (created["id"].upper(), created["id"].title()):
        assert members.get(spelling).json() == created
        assert members.patch(spelling, {}).json() == created
    assert members.delete(created["id"].upper()).status_code == 204


@pytest.mark.rules
@pytest.mark.parametrize(
    "identifier", ["1", "ada", "0" * 32, f"%7B{UNKNOWN_ID}%7D", f"{UNKNOWN_ID}0", "%00", "%F0%9F%98%80", "'%20OR%201=1"]
)
def test_what_is_no_identifier(members: Members, identifier: str) -> None:
    """400, before anything else is looked at."""
    for answer in (members.get(identifier), members.patch(identifier, {"name": ""}), members.delete(identifier)):
        assert_is_error(answer, 400, "path.id: Input should be a valid UUID", "validation")


def test_unknown_member(members: Members) -> None:
    """404, after validation and before everything else."""
    assert_is_error(members.get(UNKNOWN_ID), 404, NOT_FOUND, "not-found")
    assert_is_error(members.patch(UNKNOWN_ID, {"name": "Ada"}, '"x"'), 404, NOT_FOUND, "not-found")
    assert_is_error(members.delete(UNKNOWN_ID, '"x"'), 404, NOT_FOUND, "not-found")
    assert_is_error(members.patch(UNKNOWN_ID, {"name": 1}), 400, "name: Input should be a valid string", "validation")


# Changing


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Grace"},
        {"email": "grace@example.com"},
        {"active": False},
        {"name": "Grace", "email": "GRACE@example.com", "active": False},
        {"email": "ADA@example.com"},
        {},
        {"unknown": 1},
    ],
)
def test_change_touches_only_what_is_present(members: Members, change: dict[str, Any]) -> None:
    """The answer is the whole member as it is now."""
    other = members.create("Eve", "eve@example.com")
    before = members.create()

    answer = members.patch(before["id"], change)

    expected = before | {name: value for name, value in change.items() if name in before}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert members.get(before["id"]).json() == expected
    assert members.get(other["id"]).json() == other


def test_changed_values_are_trimmed_too(members: Members) -> None:
    """The same rules as for a new member."""
    created = members.create()

    changed = members.patch(created["id"], {"name": " Grace ", "email": "\tgrace@example.com "}).json()

    assert (changed["name"], changed["email"]) == ("Grace", "grace@example.com")


@pytest.mark.rules
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": None}, "name: field cannot be null"),
        ({"email": None}, "email: field cannot be null"),
        ({"active": None}, "active: field cannot be null"),
        ({"active": None, "email": None}, "email: field cannot be null"),
        ({"name": ""}, "name: field cannot be blank"),
        ({"name": "x" * 101}, "name: String should have at most 100 characters"),
        ({"email": "nonsense"}, "email: Input should be a plain email address"),
        ({"name": "Grace", "active": "no"}, "active: Input should be a valid boolean"),
    ],
)
def test_refused_change_changes_nothing(members: Members, change: dict[str, Any], sentence: str) -> None:
    """Explicit null is no value, for any field; nothing is changed by halves."""
    created = members.create()

    assert_is_error(members.patch(created["id"], change), 400, sentence, "validation")
    assert members.get(created["id"]).json() == created


def test_email_of_another_member_is_refused(members: Members) -> None:
    """Without regard to case, and the whole change with it."""
    members.create("Eve", "Straße@example.com")
    created = members.create()

    answer = members.patch(created["id"], {"name": "Grace", "email": "STRASSE@example.com"})

    assert_is_error(answer, 409, EMAIL_TAKEN, "conflict")
    assert members.get(created["id"]).json() == created


def test_renamed_member_moves_in_the_list(members: Members) -> None:
    """The order follows the name."""
    first, second = members.create("a", "a@example.com"), members.create("b", "b@example.com")

    members.patch(first["id"], {"name": "C"})

    assert [member["id"] for member in members.all()] == [second["id"], first["id"]]


def test_concurrent_changes_of_different_fields_are_both_kept(members: Members) -> None:
    """One does not write back what it read before the other."""
    for attempt in range(5):
        created = members.create(email=f"{attempt}@example.com")
        identifier = created["id"]

        race([partial(members.patch, identifier, change) for change in ({"name": "Grace"}, {"active": False})])

        assert members.get(identifier).json() == created | {"name": "Grace", "active": False}


def test_concurrent_changes_to_one_email(members: Members) -> None:
    """Exactly one member gets it."""
    identifiers = [members.create(email=f"{number}@example.com")["id"] for number in range(8)]

    answers = race([partial(members.patch, one, {"email": "Wanted@example.com"}) for one in identifiers])

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert [member["email"] for member in members.all()].count("Wanted@example.com") == 1


# Deleting


def test_deleted_member_is_gone(members: Members) -> None:
    """204 without a body; the second time there is nothing to delete."""
    other = members.create("Eve", "eve@example.com")
    created = members.create()

    answer = members.delete(created["id"])

    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert_is_error(members.delete(created["id"]), 404, NOT_FOUND, "not-found")
    assert members.all() == [other]


def test_of_concurrent_deletions_exactly_one_succeeds(members: Members) -> None:
    """The others find nothing."""
    identifier = members.create()["id"]

    answers = race([partial(members.delete, identifier)] * 8)

    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7


# Lost updates


def test_etag_is_that_of_the_present_version(members: Members) -> None:
    """Strong, the same whoever asks and whichever call answers, and another one after each change."""
    created = members.post({"name": "Ada", "email": "ada@example.com"})
    identifier = created.json()["id"]

    read = members.get(identifier)
    unchanged = members.patch(identifier, {"name": "Ada"})
    changed = members.patch(identifier, {"active": False})

    assert created.headers["ETag"] == read.headers["ETag"] == unchanged.headers["ETag"]
    assert created.headers["ETag"].startswith('"')
    assert created.headers["ETag"].endswith('"')
    assert changed.headers["ETag"] != read.headers["ETag"]
    assert members.get(identifier).headers["ETag"] == changed.headers["ETag"]


def test_change_of_the_version_that_is_meant(members: Members) -> None:
    """Its ETag, a list that holds it, or `*` for whatever there is."""
    identifier = members.create()["id"]

    for number, form in enumerate(("{}", '"other", {}', "{},W/{}", "*")):
        etag = members.get(identifier).headers["ETag"]
        answer = members.patch(identifier, {"name": f"Ada {number}"}, form.replace("{}", etag))

        assert answer.status_code == 200, form


STALE_FORMS = ['"{old}"', 'W/"{present}"', "{present}", '"{present}', '"{upper}"', '"*"', "", '"x", "y"']


@pytest.mark.rules
@pytest.mark.parametrize("form", STALE_FORMS)
def test_other_versions_are_left_alone(members: Members, form: str) -> None:
    """412 for PATCH and DELETE alike; If-Match compares strongly, so a weak tag never fits."""
    created = members.post({"name": "Ada", "email": "ada@example.com"})
    old, identifier = created.headers["ETag"].strip('"'), created.json()["id"]
    changed = members.patch(identifier, {"name": "Grace"})
    present = changed.headers["ETag"].strip('"')
    stale = form.format(old=old, present=present, upper=present.upper())

    for answer in (members.patch(identifier, {"name": "Eve"}, stale), members.delete(identifier, stale)):
        assert_is_error(answer, 412, CHANGED_MEANWHILE, "precondition-failed")
    assert members.get(identifier).json() == changed.json()


def test_precondition_is_judged_after_validation_and_before_conflict(members: Members) -> None:
    """400, then 404, then 412, then 409."""
    members.create("Eve", "eve@example.com")
    identifier = members.create()["id"]

    assert members.patch(identifier, {"email": 1}, '"stale"').status_code == 400
    assert members.patch(UNKNOWN_ID, {"email": "eve@example.com"}, '"stale"').status_code == 404
    assert members.patch(identifier, {"email": "eve@example.com"}, '"stale"').status_code == 412
    assert members.patch(identifier, {"email": "eve@example.com"}).status_code == 409


def test_of_concurrent_changes_of_one_version_exactly_one_succeeds(members: Members) -> None:
    """That is what If-Match is for."""
    created = members.post({"name": "Ada", "email": "ada@example.com"})
    identifier, etag = created.json()["id"], created.headers["ETag"]

    answers = race(
        [partial(members.patch, identifier, {"name": f"Ada {number}"}, etag) for number in range(8)]
        + [partial(members.delete, identifier, '"stale"')]
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * 8


# Nobody can tell the two databases apart


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest) -> Iterator[dict[str, Members]]:
    """One sidecar on each database."""
    with contextlib.ExitStack() as stack:
        yield {name: Members(stack.enter_context(open_backend(request))) for name, open_backend in BACKENDS.items()}


NAMES = st.sampled_from(
    ["Ada", "ada", " ADA ", "ß", "SS", "ss", "Σ", "ς", "İ", "i̇", "é", "e\u0301", "😀", "\uffee", "", "\x00", "x" * 101]
)
EMAILS = st.sampled_from(
    "a@b.co A@B.CO ß@b.co SS@b.co σ@b.co Σ@B.co ς@b.co İ@b.co i@b.co é@b.co nonsense".split()  # noqa: RUF001, SIM905
)
FIELDS = {"name": NAMES | st.none(), "email": EMAILS | st.none(), "active": st.booleans() | st.none() | st.just(1)}
WHICH = st.integers(0, 4)
VERSIONS = st.sampled_from([None, None, "present", "stale", "*"])
STEPS = st.one_of(
    st.tuples(
        st.just("create"), st.fixed_dictionaries({"name": NAMES, "email": EMAILS}, optional={"active": st.booleans()})
    ),
    st.tuples(st.just("create"), st.fixed_dictionaries({}, optional=FIELDS)),
    st.tuples(st.just("patch"), WHICH, st.fixed_dictionaries({}, optional=FIELDS), VERSIONS),
    st.tuples(st.just("delete"), WHICH, VERSIONS),
    st.tuples(st.just("get"), WHICH),
)


class Replay:
    """A sequence of calls against one database, with what came back put into comparable words."""

    def __init__(self, members: Members) -> None:
        self._members = members
        members.backend.clear()
        self._ids: list[str] = []

    def run(self, steps: list[tuple[Any, ...]]) -> list[object]:
        """Do all the steps; return what can be seen from outside."""
        seen: list[object] = []
        for kind, *arguments in steps:
            seen += [self._plain(getattr(self, f"_{kind}")(*arguments)), self._listing()]
        return seen

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        answer = self._members.post(body)
        if answer.status_code == 201:
            self._ids.append(answer.json()["id"])
        return answer

    def _patch(self, which: int, body: dict[str, Any], version: str | None) -> httpx.Response:
        identifier = self._id(which)
        return self._members.patch(identifier, body, self._tag(identifier, version))

    def _delete(self, which: int, version: str | None) -> httpx.Response:
        identifier = self._id(which)
        return self._members.delete(identifier, self._tag(identifier, version))

    def _get(self, which: int) -> httpx.Response:
        return self._members.get(self._id(which))

    def _id(self, which: int) -> str:
        return self._ids[which] if which < len(self._ids) else UNKNOWN_ID

    def _tag(self, identifier: str, version: str | None) -> str | None:
        return self._members.get(identifier).headers.get("ETag", "*") if version == "present" else version

    def _plain(self, answer: httpx.Response) -> object:
        """Status, code and body, with the number of the member for its id."""
        body = answer.json() if answer.content else None
        if isinstance(body, dict) and "id" in body:
            body["id"] = self._ids.index(body["id"])
        return answer.status_code, answer.headers.get("Taskflow-Error-Code"), "ETag" in answer.headers, body

    def _listing(self) -> list[tuple[str, list[int]]]:
        """Names in their order; of those that are alike the order is that of the ids, which differ by chance."""
        listed = self._members.all()
        assert listed == sorted(listed, key=lambda member: (member["name"].casefold(), member["id"]))
        grouped = itertools.groupby(listed, key=lambda member: member["name"].casefold())
        return [(name, sorted(self._ids.index(member["id"]) for member in group)) for name, group in grouped]


@settings(PROCESS_PROPERTY, max_examples=40)
@example([("create", {"name": "ß", "email": "ß@b.co"}), ("create", {"name": "SS", "email": "SS@b.co"})])
@given(st.lists(STEPS, min_size=2, max_size=10))
def test_both_databases_give_the_same_answers(both: dict[str, Members], steps: list[tuple[Any, ...]]) -> None:
    """The same sequence of calls, sound and unsound ones, looks the same from outside."""
    seen = {name: Replay(members).run(steps) for name, members in both.items()}

    assert seen["sqlite"] == seen["postgresql"]
