"""Damaged `fernet.key` and `db_credentials.enc`: named, survived, never overwritten; a restored file heals."""

from __future__ import annotations

import base64
import codecs
import gzip
import json
import logging
import os
import stat
import string
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet

from app.core.exceptions import ConfigDirectoryUnusableError, ProblemError
from app.core.fernet_keys import KeyRing, encode_key, parse_key
from app.core.problems import PROBLEMS
from app.core.security import (
    CREDENTIALS_FILE,
    KEY_FILE,
    delete_credentials,
    load_or_create_keys,
    prepare_config_directory,
    read_credentials,
    rotate_keys,
    save_credentials,
)
from app.db.settings import settings_from_saved
from tests.support import children, windows
from tests.support.accounts import ServerAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.core.problems import Problem
    from tests.conftest import SidecarFactory
    from tests.support.databases import Database

REQUIRED_VARIANTS = 1000
REQUIRED_LIVE_VARIANTS = 40
FILE_PROBLEMS = frozenset(
    {"key-missing", "key-invalid", "credentials-unreadable", "credentials-incomplete", "storage-untrusted"}
)

KEY = encode_key(bytes(range(3, 35)))
KEY_CONTENT = KEY.encode()
OTHER_KEY = encode_key(bytes(range(100, 132)))
VALUES = {"host": "db.example", "port": 5432, "database": "team", "username": "lead", "password": " p@ss wörd "}

Content = bytes | None
"""What a file holds; None if there is none."""


def token_of(plaintext: bytes, key: str = KEY) -> bytes:
    """Encrypt as any Fernet tool does."""
    return Fernet(key).encrypt(plaintext)


TOKEN = token_of(json.dumps(VALUES, ensure_ascii=False).encode())


@dataclass(frozen=True, slots=True)
class Variant:
    """A pair of files of which at least one is damaged."""

    name: str
    key: Content = KEY_CONTENT
    token: Content = TOKEN
    build: Callable[[Path], None] | None = None
    """Puts something in the place of a file that is no file with bytes in it."""

    def write(self, directory: Path) -> None:
        """Put the files into `directory`."""
        for name, content in ((KEY_FILE, self.key), (CREDENTIALS_FILE, self.token)):
            remove(directory / name)
            if content is not None:
                (directory / name).touch(mode=0o600)
                (directory / name).write_bytes(content)
        if self.build is not None:
            self.build(directory)


def remove(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


# --- damage that is done to the bytes of either file -----------------------------------------------------------------


def flipped(content: bytes, *, bits: Callable[[int], range]) -> Iterator[tuple[str, bytes]]:
    """One bit turned over, at every byte."""
    for index, byte in enumerate(content):
        for bit in bits(index):
            yield f"bit {bit} of byte {index}", content[:index] + bytes([byte ^ 1 << bit]) + content[index + 1 :]


def truncated(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The beginning, and the end, of the file; of every length."""
    for length in range(len(content)):
        yield f"first {length} bytes", content[:length]
    for length in range(1, len(content), 7):
        yield f"last {length} bytes", content[-length:]


def with_junk(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Characters inserted that lenient decoders of base64 pass over."""
    for junk in (b"\n", b"\r\n", b" ", b"\t", b"\0", b"!", b"=", b"==", b"\xc3\xa9", b"\xff", b".", b"*", b"\\n"):
        for index in (0, 1, 4, len(content) // 2, len(content) - 1):
            yield f"{junk!r} at {index}", content[:index] + junk + content[index:]
    for junk in (b"\r", b"\r\n\r\n", b" ", b"\t", b"\0", b"=", b"==", b"A", b"\n\n", b"\n\0", b"\x1a", b"\n#comment"):
        yield f"{junk!r} at the end", content + junk


def mangled(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What editors, shells, mail and other programs make of a file."""
    text = content.decode()
    yield "UTF-8 BOM", codecs.BOM_UTF8 + content
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7-like"):
        yield encoding, content.hex("+").encode() if encoding == "utf-7-like" else text.encode(encoding)
    yield "upper case", content.upper()
    yield "lower case", content.lower()
    yield "case swapped", content.swapcase()
    yield "reversed", content[::-1]
    yield "quoted", b'"' + content + b'"'
    yield "quoted with apostrophes", b"'" + content + b"'"
    yield "as a Python literal", repr(content).encode()
    yield "as an assignment", b"KEY=" + content
    yield "URL-encoded", quote(text, safe="").replace("=", "%3D").encode() + b"%3D"
    yield "hexadecimal", content.hex().encode()
    yield "base64 once more", base64.b64encode(content)
    yield "decoded", base64.urlsafe_b64decode(content)
    yield "compressed", gzip.compress(content, mtime=0)
    yield "padding stripped", content.rstrip(b"=") or b"A"
    yield "only padding", b"===="
    yield "zeros", bytes(len(content))
    yield "letters A", b"A" * len(content)
    yield "spaces", b" " * len(content)
    yield "a web page", b"<!doctype html><title>404</title>"
    yield "a conflict", b"<<<<<<< ours\n" + content + b"\n=======\n" + content + b"\n>>>>>>> theirs\n"
    yield "wrapped", b"\n".join(content[index : index + 20] for index in range(0, len(content), 20))
    yield "indented", b"    " + content
    yield "JSON", json.dumps({"key": text}).encode()
    yield "empty", b""
    yield "one newline", b"\n"
    yield "twice without a break", content * 2
    yield "huge", content * (1 << 15)
    yield "huge and blank", bytes(3 << 20)
    yield "printable", string.printable.encode()


def of_bytes() -> Iterator[Variant]:
    """All damage to the bytes of one file while the other is whole."""
    key, token = KEY.encode(), TOKEN
    for damage in (flipped(key, bits=lambda _: range(8)), truncated(key), with_junk(key), mangled(key)):
        yield from (Variant(f"key: {name}", key=content) for name, content in damage)
    for damage in (flipped(token, bits=lambda i: range(i % 8, i % 8 + 1)), truncated(token)):
        yield from (Variant(f"token: {name}", token=content) for name, content in damage)
    for damage in (with_junk(token), mangled(token)):
        yield from (Variant(f"token: {name}", token=content) for name, content in damage)


# --- damage that takes more than bytes --------------------------------------------------------------------------------


def of_pairs() -> Iterator[Variant]:
    """Files that are whole and do not belong together, or not here."""
    key, token = KEY.encode(), TOKEN
    yield Variant("swapped", key=token, token=key)
    yield Variant("key twice, no token", key=key, token=key)
    yield Variant("token twice, no key", key=token, token=token)
    yield Variant("no key", key=None)
    yield Variant("another key", key=OTHER_KEY.encode())
    yield Variant("two other keys", key=f"{OTHER_KEY}\n{encode_key(bytes(range(32)))}".encode())
    yield Variant("keys with a comma", key=f"{KEY},{OTHER_KEY}".encode())
    yield Variant("keys with a blank line", key=f"{KEY}\n\n{OTHER_KEY}".encode())
    yield Variant("a whole and a broken key", key=f"{KEY}\n{OTHER_KEY[:-2]}".encode())
    yield Variant("31 bytes", key=base64.urlsafe_b64encode(bytes(range(31))))
    yield Variant("33 bytes", key=base64.urlsafe_b64encode(bytes(range(33))))
    yield Variant("all bytes equal", key=encode_key(b"k" * 32).encode())
    yield Variant("token of another key", token=token_of(json.dumps(VALUES).encode(), OTHER_KEY))
    yield Variant("token twice on lines", token=token + b"\n" + token)
    yield Variant("token and newline", token=token + b"\n")
    yield Variant("standard alphabet", token=token.translate(bytes.maketrans(b"-_", b"+/")) + b"\n")
    yield Variant("marked as encrypted", token=b"encrypted:" + token)


def of_contents() -> Iterator[Variant]:
    """Tokens that open, and hold something else than a connection."""
    plaintexts: list[bytes] = [b"", b" ", b"null", b"true", b"17", b'"text"', b"[]", b"[{}]", b"{", b"{}", b"\xff\xfe"]
    plaintexts += [
        b'{"host":',
        b"{'host': 1}",
        b"[" * 100_000,
        json.dumps([VALUES]).encode(),
        json.dumps(VALUES)[:-1].encode(),
    ]
    plaintexts += [json.dumps({"dsn": "postgresql://u:p@h/d"}).encode()]
    plaintexts += [json.dumps({**VALUES, "sslmode": "sometimes"}).encode()]
    for field in VALUES:
        plaintexts.append(json.dumps({name: value for name, value in VALUES.items() if name != field}).encode())
        wrong: tuple[object, ...] = (None, [], {}, "", True, 1.5, "x" * 8193)
        plaintexts += [json.dumps({**VALUES, field: value}).encode() for value in wrong]
    return (Variant(f"holds {plaintext[:60]!r}", token=token_of(plaintext)) for plaintext in plaintexts)


def directory_in_place(name: str) -> Callable[[Path], None]:
    """A directory has the file's name."""

    def build(directory: Path) -> None:
        remove(directory / name)
        (directory / name).mkdir(mode=0o755)

    return build


def link_in_place(name: str, target: str) -> Callable[[Path], None]:
    """A symbolic link has the file's name."""

    def build(directory: Path) -> None:
        remove(directory / name)
        (directory / name).symlink_to(target)

    return build


def pipe_in_place(name: str) -> Callable[[Path], None]:
    """A named pipe, which nobody writes, has the file's name."""

    def build(directory: Path) -> None:
        remove(directory / name)
        os.mkfifo(directory / name, mode=0o600)

    return build


def sparse_in_place(name: str) -> Callable[[Path], None]:
    """The file has a size no disk has."""

    def build(directory: Path) -> None:
        os.truncate(directory / name, 1 << 40)

    return build


def of_kinds() -> Iterator[Variant]:
    """Something that is not an ordinary file has the name of one."""
    for name in (KEY_FILE, CREDENTIALS_FILE):
        yield Variant(f"{name}: directory", build=directory_in_place(name))
        yield Variant(f"{name}: a terabyte", build=sparse_in_place(name))
        if windows.IS_WINDOWS:  # whose programs meet neither links of Linux nor pipes
            continue
        yield Variant(f"{name}: link to itself", build=link_in_place(name, name))
        yield Variant(f"{name}: link to nothing", build=link_in_place(name, "not-there"))
        yield Variant(f"{name}: link to a device", build=link_in_place(name, "/dev/zero"))
        yield Variant(f"{name}: link to nothing readable", build=link_in_place(name, "/dev/null"))
        yield Variant(f"{name}: link to a directory", build=link_in_place(name, "."))
        yield Variant(f"{name}: link through a file", build=link_in_place(name, "/etc/passwd/x"))
        yield Variant(f"{name}: pipe", build=pipe_in_place(name))


def all_variants() -> list[Variant]:
    """Every damage, each once."""
    variants = [*of_bytes(), *of_pairs(), *of_contents(), *of_kinds()]
    whole = (KEY.encode(), TOKEN)
    distinct = {
        (v.key, v.token, v.name if v.build else ""): v for v in variants if v.build or (v.key, v.token) != whole
    }
    return list(distinct.values())


HARMLESS = (
    Variant("newline after the key", key=KEY.encode() + b"\n"),
    Variant("key twice", key=f"{KEY}\n{KEY}".encode()),
    Variant("saved by Notepad", key=f"{OTHER_KEY}\r\n{KEY}\r\n".encode()),
    Variant("retired keys behind it", key=f"{KEY}\n{OTHER_KEY}".encode()),
    Variant("a newer key before it", key=f"{OTHER_KEY}\n{KEY}\n".encode()),
)
"""What a person or a rotation may well leave, and what leaves no doubt about the key."""


def load(directory: Path) -> dict[str, Any]:
    """Do what the stages `key` and `credentials` do."""
    keys = load_or_create_keys(directory)
    saved = read_credentials(directory, keys)
    assert saved is not None, "something is saved here, readable or not"
    return {**settings_from_saved(saved.values).without_password(), "password": saved.values["password"]}


def snapshot(directory: Path) -> dict[str, tuple[int, int, bytes | str]]:
    """Mode, inode and content of the two files and of everything that is named after them."""
    found: dict[str, tuple[int, int, bytes | str]] = {}
    named = (
        path for path in directory.iterdir() if path.name.removeprefix(".").startswith((KEY_FILE, CREDENTIALS_FILE))
    )
    for path in named:  # a running sidecar writes other files meanwhile
        status = path.lstat()
        content: bytes | str = ""
        if path.is_symlink():
            content = str(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes() if status.st_size < 1 << 24 else f"{status.st_size} bytes"
        found[path.name] = (status.st_mode, status.st_ino, content)
    return found


def test_every_damage_is_named_and_left_alone() -> None:
    """A thousand damaged pairs: one worded problem each, nothing is written, and the restored files are read."""
    variants = all_variants()
    named: list[Problem] = []
    silent, overwritten = [], []

    with children.directory() as directory:
        for variant in variants:
            variant.write(directory)
            before = snapshot(directory)
            try:
                load(directory)
            except ProblemError as exc:
                named.append(exc.problem)
            else:
                silent.append(variant.name)
            if snapshot(directory) != before or len(list(directory.iterdir())) != len(before):
                overwritten.append(variant.name)
        Variant("whole").write(directory)
        healed = load(directory)

    assert silent == []
    assert overwritten == []
    assert {problem.code for problem in named} == FILE_PROBLEMS
    assert all(problem.message and problem.remedy for problem in named)
    assert len(named) == len(variants) >= REQUIRED_VARIANTS
    assert {**healed, "sslmode": "prefer"} == {**VALUES, "sslmode": "prefer"}


@pytest.mark.parametrize("variant", HARMLESS, ids=lambda variant: variant.name)
def test_harmless_change_is_no_damage(variant: Variant) -> None:
    """A key file that leaves no doubt about its keys is read."""
    with children.directory() as directory:
        variant.write(directory)

        assert load(directory)["password"] == VALUES["password"]


def test_save_over_damage_sets_it_aside() -> None:
    """Whatever is in the way of a save is kept under another name, and the new connection is readable."""
    variants = [*of_pairs(), *of_kinds(), *list(of_bytes())[::50]]
    refused, lost = [], []

    with children.directory() as parent:
        for number, variant in enumerate(variants):
            directory = parent / str(number)
            directory.mkdir(mode=0o700)
            variant.write(directory)
            before = {content for _, _, content in snapshot(directory).values()} - {KEY.encode()}

            save_credentials(directory, {**VALUES, "host": "new.example"})

            after = snapshot(directory)
            if load(directory)["host"] != "new.example":
                refused.append(variant.name)
            if not before <= {content for _, _, content in after.values()}:
                lost.append(variant.name)

    assert refused == []
    assert lost == []
    assert len(variants) > REQUIRED_LIVE_VARIANTS


# --- a running sidecar ------------------------------------------------------------------------------------------------


def live_variants(key: bytes, token: bytes) -> list[Variant]:
    """Some damage of every sort, done to the files of a running sidecar."""
    ring = KeyRing((parse_key(key.decode()),))
    damages = [
        *list(flipped(key, bits=lambda i: range(i % 8, i % 8 + 1)))[::9],
        *list(truncated(key))[::15],
        *list(with_junk(key))[::14],
        *list(mangled(key))[::3],
    ]
    variants = [Variant(f"key: {name}", key=content, token=token) for name, content in damages]
    damages = [
        *list(flipped(token, bits=lambda i: range(i % 8, i % 8 + 1)))[::50],
        *list(truncated(token))[::60],
        *list(with_junk(token))[::14],
        *list(mangled(token))[::3],
    ]
    variants += [Variant(f"token: {name}", key=key, token=content) for name, content in damages]
    variants += [Variant(v.name, key=key, token=token, build=v.build) for v in of_kinds()]
    variants += [
        Variant("swapped", key=token, token=key),
        Variant("no key", key=None, token=token),
        Variant("another key", key=OTHER_KEY.encode(), token=token),
        Variant("wrong shape", key=key, token=ring.encrypt(b"[]")),
        Variant("nothing in it", key=key, token=ring.encrypt(b"{}")),
    ]
    return [v for v in variants if v.build or (v.key, v.token) != (key, token)]


def test_running_sidecar_survives_damage_and_heals(sidecar_factory: SidecarFactory, database: Database) -> None:
    """A sidecar whose files are damaged says so, stays alive and writes nothing; restored files heal it."""
    sidecar = sidecar_factory(env={"TASKFLOW_EMBEDDED": "0"})
    sidecar.save_connection(database.fields())
    sidecar.wait_healthy()
    directory, pid = sidecar.config_dir, sidecar.pid
    whole = Variant("whole", (directory / KEY_FILE).read_bytes(), (directory / CREDENTIALS_FILE).read_bytes())
    assert whole.key is not None
    assert whole.token is not None
    variants = live_variants(whole.key, whole.token)
    codes: Counter[str] = Counter()

    for number, variant in enumerate(variants):
        variant.write(directory)
        before = snapshot(directory)
        assert sidecar.request("POST", "/api/v1/settings/retry").status_code == 202
        found = sidecar.wait_for(lambda status: status["state"] == "failed")["problem"]

        codes[found["code"]] += 1
        assert found["code"] in FILE_PROBLEMS, variant.name
        assert found["remedy"] == PROBLEMS[found["code"]].remedy
        assert found["message"] == PROBLEMS[found["code"]].message or found["code"] == "storage-untrusted"
        assert sidecar.health() == (503, {"status": "unhealthy", "error": found["message"]})
        answer = sidecar.request("GET", "/api/v1/settings/connection")
        assert (answer.status_code, answer.json()) == (409, {"error": found["message"]}), variant.name
        assert answer.headers["Taskflow-Error-Code"] == found["code"]
        assert snapshot(directory) == before, variant.name
        if number % 10 == 9:
            whole.write(directory)
            sidecar.wait_healthy()
    whole.write(directory)
    sidecar.wait_healthy()

    assert sidecar.pid == pid
    assert codes.keys() == FILE_PROBLEMS
    assert codes.total() == len(variants) >= REQUIRED_LIVE_VARIANTS
    assert "Traceback" not in sidecar.stderr_text()


def test_damaged_files_never_lead_to_another_database(sidecar_factory: SidecarFactory) -> None:
    """A sidecar started over damaged files, with everything else at hand, fails rather than use another database."""
    for variant in (Variant("token", token=TOKEN[:-9]), Variant("no key", key=None), Variant("key", key=b"")):
        with children.directory() as parent:
            directory = windows.make_directory(parent / "config")
            variant.write(directory)
            before = snapshot(directory)
            sidecar = sidecar_factory(
                config_dir=directory, env={"TASKFLOW_DATABASE_URL": f"sqlite:///{directory}/other.db"}
            )

            document = sidecar.wait_for_state("failed")

            assert document["problem"]["code"] in FILE_PROBLEMS
            assert document["database"] is None
            after = snapshot(directory)
            assert {name: after[name] for name in before} == before
            assert not (directory / "other.db").exists()
            sidecar.stop()


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o604, 0o601])
@pytest.mark.parametrize("name", [KEY_FILE, CREDENTIALS_FILE])
def test_rights_of_others_are_taken_away_at_the_next_read(tmp_path: Path, name: str, mode: int) -> None:
    """A file that others could read is owner-only after it was read."""
    Variant("whole").write(tmp_path)
    (tmp_path / name).chmod(mode)

    load(tmp_path)

    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o777])
@pytest.mark.parametrize("name", [KEY_FILE, CREDENTIALS_FILE])
def test_file_that_others_may_have_written_is_not_believed(tmp_path: Path, name: str, mode: int) -> None:
    """Taking the right away would not undo what was done with it."""
    Variant("whole").write(tmp_path)
    (tmp_path / name).chmod(mode)

    assert problem_code(lambda: load(tmp_path)) == "storage-untrusted"
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


def test_directory_is_made_owner_only(tmp_path: Path) -> None:
    """The config directory is repaired like its files, and made with all its parents."""
    directory = tmp_path / "parent" / "child" / "config"

    prepare_config_directory(directory)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (directory, directory.parent, directory.parent.parent)]
    directory.chmod(0o755)
    prepare_config_directory(directory)

    assert modes == [0o700] * 3
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list(directory.iterdir()) == []


def problem_code(action: Callable[[], object]) -> str:
    """Run `action`, which must fail with a problem; return its code."""
    with pytest.raises(ProblemError) as caught:
        action()
    return caught.value.problem.code


def test_unreadable_file_is_a_problem() -> None:
    """Whole files that the user may not read now are no damage: the problem says so, and is tried again."""
    with children.directory(shared=True) as directory:
        Variant("whole").write(directory)
        for name in (KEY_FILE, CREDENTIALS_FILE):
            give_to_ordinary_user(directory / name)

        found = []
        for name in (CREDENTIALS_FILE, KEY_FILE):
            (directory / name).chmod(0o000)
            found.append(children.call(lambda: problem_code(lambda: load(directory)), as_ordinary_user=True))

    assert found == ["storage-unreadable"] * 2


def give_to_ordinary_user(path: Path) -> Path:
    """Let the user own `path` whom the children of these tests become."""
    return ServerAccount.choose().give(path)


def test_unwritable_directory_is_worded() -> None:
    """Where nothing can be written, saving, deleting, rotating and starting say so, and what was saved stays."""

    def attempt() -> list[str]:
        unusable = pytest.raises(ConfigDirectoryUnusableError, match=r"^The config directory /.+ cannot be used: .+\.$")
        with unusable:
            prepare_config_directory(directory)
        with unusable:
            prepare_config_directory(directory / "deeper")
        return [
            problem_code(lambda: save_credentials(directory, VALUES)),
            problem_code(lambda: delete_credentials(directory)),
            problem_code(lambda: rotate_keys(directory, lambda _: True)),
            problem_code(lambda: load_or_create_keys(empty)),
            load(directory)["host"],
        ]

    with children.directory(shared=True) as parent:
        directory, empty = parent / "used", parent / "empty"
        directory.mkdir()
        empty.mkdir()
        Variant("whole").write(directory)
        for path in (directory / KEY_FILE, directory / CREDENTIALS_FILE, directory, empty):
            give_to_ordinary_user(path)
        directory.chmod(0o500)
        empty.chmod(0o500)
        if os.geteuid() == 0:  # a directory of its own the user could make writable again
            for path in (directory, empty):
                os.chown(path, 0, 0)
                path.chmod(0o755)
        before = snapshot(directory)

        codes = children.call(attempt, as_ordinary_user=True)

        assert codes == ["storage-unwritable"] * 4 + ["db.example"]
        assert snapshot(directory) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that belong to somebody else")
def test_files_of_the_administrator_are_read_and_reported() -> None:
    """Rights that cannot be taken away do not keep the sidecar from its work, but the log tells of them."""

    def attempt() -> tuple[str, list[str]]:
        messages: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)
        prepare_config_directory(directory)
        return load(directory)["host"], messages

    with children.directory(shared=True) as parent:
        directory = parent / "config"
        directory.mkdir(mode=0o700)
        Variant("whole").write(directory)
        for name in (KEY_FILE, CREDENTIALS_FILE):
            (directory / name).chmod(0o644)
        give_to_ordinary_user(directory)

        host, messages = children.call(attempt, as_ordinary_user=True)

    assert host == "db.example"
    assert set(messages) == {"file is readable by other users and cannot be restricted"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that belong to somebody else")
def test_save_gets_past_unreadable_files_of_somebody_else() -> None:
    """Files left by a sidecar that was run as root are moved aside by a save of the user who owns the directory."""

    def attempt() -> str:
        save_credentials(directory, {**VALUES, "host": "new.example"})
        return str(load(directory)["host"])

    with children.directory(shared=True) as parent:
        directory = parent / "config"
        directory.mkdir()
        give_to_ordinary_user(directory)
        Variant("whole").write(directory)

        host = children.call(attempt, as_ordinary_user=True)

        kept = {path.name.split("-")[0]: path.read_bytes() for path in directory.glob("*.unreadable-*")}
    assert host == "new.example"
    assert kept == {f"{KEY_FILE}.unreadable": KEY.encode(), f"{CREDENTIALS_FILE}.unreadable": TOKEN}
