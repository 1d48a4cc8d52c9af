"""A global key file is taken over as a whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.core.exceptions import UsageError
from app.services.legacy.import_json import MAX_FILE_BYTES, import_keys, parse_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS = {
    "openai": "sk-proj-TAPIR5521-abcd",
    "google": "AQ.NARWHAL7",
    "anthropic": "sk-ant-1",
    "deepseek": "sk-" + "d" * 32,
}
CANARY = "WOMBAT88"


def write(directory: Path, content: bytes) -> Path:
    """Write a key file."""
    file = directory / "keys.json"
    file.write_bytes(content)
    return file


def test_keys_are_stored_by_provider_and_hinted(tmp_path: Path) -> None:
    """All go to the store in one call; the caller sees hints only, and the file stays."""
    stored: list[dict[str, str]] = []
    file = write(tmp_path, json.dumps(KEYS).encode())

    hints = import_keys(file, lambda keys: stored.append(dict(keys)))

    assert stored == [KEYS]
    assert hints == {"openai": "****abcd", "google": "****", "anthropic": "****", "deepseek": "****dddd"}
    assert json.loads(file.read_bytes()) == KEYS


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'\xef\xbb\xbf{"openai": "sk-1"}', id="byte-order-mark"),
        pytest.param(b'{"openai": " sk-1\\n"}', id="blanks-around"),
        pytest.param(b'\r\n{"openai":\t"sk-1"}\r\n', id="line-ends"),
    ],
)
def test_files_as_people_write_them(content: bytes) -> None:
    """What editors add around a key is no part of it."""
    assert parse_keys(content) == {"openai": "sk-1"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "not a JSON object", id="empty"),
        pytest.param(b'{"openai": "sk-WOMBAT88"', "not a JSON object", id="truncated"),
        pytest.param(b'["sk-WOMBAT88"]', "not a JSON object", id="array"),
        pytest.param(b'"sk-WOMBAT88"', "not a JSON object", id="string"),
        pytest.param(b'{"openai": "\xff WOMBAT88"}', "not a JSON object", id="not-utf-8"),
        pytest.param(b"[" * 100_000, "not a JSON object", id="deep"),
        pytest.param(b"{}", "holds no key", id="no-keys"),
        pytest.param(b'{"openai": "sk-1", "sk-WOMBAT88": "x"}', "Entry 2 of the file names no known", id="unknown"),
        pytest.param(b'{"OpenAI": "sk-WOMBAT88"}', "Entry 1 of the file names no known provider", id="capitals"),
        pytest.param(b'{"openai": "sk-WOMBAT88", "openai": "sk-2"}', "two keys for openai", id="twice"),
        pytest.param(b'{"openai": null}', "key for openai is no text", id="null"),
        pytest.param(b'{"openai": ["sk-WOMBAT88"]}', "key for openai is no text", id="list"),
        pytest.param(b'{"openai": {"key": "sk-WOMBAT88"}}', "key for openai is no text", id="object"),
        pytest.param(b'{"openai": 12345678}', "key for openai is no text", id="number"),
        pytest.param(b'{"openai": " "}', "key for openai is blank", id="blank"),
        pytest.param(b'{"openai": "sk-WOMBAT88\\u0000"}', "characters that no key has", id="nul"),
        pytest.param(b'{"openai": "sk-WOMBAT88\\ud800"}', "characters that no key has", id="half-a-pair"),
        pytest.param(b'{"openai": "****MB88"}', "is masked", id="masked"),
        pytest.param(b'{"openai": "' + b"x" * 513 + b'"}', "longer than 512 characters", id="long"),
    ],
)
def test_damaged_file_imports_nothing(content: bytes, sentence: str, tmp_path: Path) -> None:
    """One sentence, which repeats nothing from the file, and no key is stored."""
    stored: list[Mapping[str, str]] = []

    with pytest.raises(UsageError, match=sentence) as caught:
        import_keys(write(tmp_path, content), stored.append)

    assert stored == []
    assert "\n" not in str(caught.value)
    assert not any("WOMBAT" in str(error) + repr(vars(error)) for error in chain(caught.value))


def chain(error: BaseException | None) -> list[BaseException]:
    """Return an error with all that it came from."""
    errors: list[BaseException] = []
    while error is not None:
        errors.append(error)
        error = error.__cause__ or error.__context__
    return errors


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A slip in the path, a folder, a file that is far too large."""
    for file in (tmp_path / "nowhere.json", tmp_path, write(tmp_path, b" " * (MAX_FILE_BYTES + 1))):
        with pytest.raises(UsageError, match=r"^The file (cannot be read|is larger)"):
            import_keys(file, lambda _: None)


def test_refusal_of_the_store_is_passed_on(tmp_path: Path) -> None:
    """Nothing is reported as set."""

    def refuse(_keys: Mapping[str, str]) -> Any:
        raise RuntimeError("locked")

    with pytest.raises(RuntimeError, match="locked"):
        import_keys(write(tmp_path, json.dumps(KEYS).encode()), refuse)
