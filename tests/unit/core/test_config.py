"""Flags and environment into one frozen object; every bad value is one sentence that names its variable."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import pytest

from app.core.config import PROVIDER_NAMES, VARIABLES, Config, read_encryption_keys
from app.core.exceptions import EncryptionKeyInvalidError, UsageError
from app.core.fernet_keys import encode_key
from tests.support.sidecar import CHECKOUT
from tests.support.system import posix_only

KEY = encode_key(bytes(range(32)))
OTHER_KEY = encode_key(bytes(range(32, 64)))


def test_nothing_set_means_safe_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Per-user directories, the embedded database, loopback's usual port, authentication on."""
    monkeypatch.setenv("HOME", "/home/lead")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    config = Config.from_environ({})

    assert config == Config(config_dir=config.config_dir, data_dir=config.data_dir)
    assert (config.port, config.log_level, config.embedded, config.no_auth) == (8000, "info", True, False)
    if sys.platform != "win32":  # which keeps both in one place, told by the system
        assert config.config_dir.is_relative_to("/home/lead")
        assert config.data_dir.is_relative_to("/home/lead")
        assert config.config_dir != config.data_dir
    assert "taskflow" in str(config.config_dir).lower()


def test_every_variable_is_read() -> None:
    """Each has its place."""
    config = Config.from_environ(
        {
            "TASKFLOW_CONFIG_DIR": "/c",
            "TASKFLOW_DATA_DIR": "/d",
            "TASKFLOW_DATABASE_URL": "postgresql://u:p@h/d",
            "TASKFLOW_EMBEDDED": "0",
            "TASKFLOW_PORT": " 9000 ",
            "TASKFLOW_LOG_LEVEL": "DEBUG",
            "TASKFLOW_ALLOWED_ORIGINS": "https://App.example , app://desktop/",
            "ENCRYPTION_KEY": f"{KEY}, {OTHER_KEY}",
            "JWT_SECRET_KEY": "j" * 32,
            "API_KEY_ENCRYPTION_SECRET": "a" * 32,
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "ANTHROPIC_BASE_URL": "https://Claude.example/",
            "GOOGLE_BASE_URL": "https://google.example/v1beta/",
            "DEEPSEEK_BASE_URL": "https://proxy.example/deepseek/v1//",
            "TASKFLOW_REVALIDATE_HOURS": "0.5",
            "TASKFLOW_REVALIDATE_CONFIRM_MINUTES": " 0 ",
        }
    )

    assert config == Config(
        config_dir=Path("/c").absolute(),
        data_dir=Path("/d").absolute(),
        database_url="postgresql://u:p@h/d",
        embedded=False,
        port=9000,
        log_level="debug",
        allowed_origins=("https://app.example", "app://desktop"),
        encryption_keys=(bytes(range(32)), bytes(range(32, 64))),
        jwt_secret="j" * 32,
        api_key_secret="a" * 32,
        provider_urls={
            "openai": "http://127.0.0.1:9",
            "anthropic": "https://claude.example",
            "google": "https://google.example",
            "deepseek": "https://proxy.example/deepseek",
        },
        revalidate_hours=0.5,
        revalidate_confirm_minutes=0.0,
    )


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_empty_is_unset(name: str, blank: str) -> None:
    """A launcher that passes an empty variable means nothing by it."""
    assert Config.from_environ({name: blank}) == Config.from_environ({})


BAD_VALUES = [
    *[
        ("TASKFLOW_PORT", value)
        for value in ("abc", "-1", "65536", "80.0", "+80", "0x50", "\uff18\uff10", "1" * 5000, "8 0")
    ],
    *[("TASKFLOW_EMBEDDED", value) for value in ("2", "nope", "-", "tru")],
    *[("TASKFLOW_LOG_LEVEL", value) for value in ("loud", "trace", "10")],
    *[("TASKFLOW_ALLOWED_ORIGINS", value) for value in ("*", "null", "desk.example", "https://a/b", "https://u@h")],
    # Windows takes such a name for a neighbour of the user's own home
    *[pytest.param("TASKFLOW_CONFIG_DIR", value, marks=posix_only) for value in ("~no-such-user/x", "~no-such-user")],
    pytest.param("TASKFLOW_DATA_DIR", "~no-such-user/x", marks=posix_only),
    *[("ENCRYPTION_KEY", value) for value in ("secret", KEY[:-1], f"{KEY},", f"{KEY},x", "ключ", "\udcff" * 44)],
    ("ENCRYPTION_KEY", encode_key(b"\0" * 32)),
    *[("JWT_SECRET_KEY", value) for value in ("short", "j" * 31, "\udcff" * 40)],
    *[(name, value) for name in ("JWT_AUDIENCE", "JWT_ISSUER") for value in ("a\x00b", "\udcff" * 40)],
    *[("API_KEY_ENCRYPTION_SECRET", value) for value in ("short", "a" * 31, "\udcff" * 40)],
    *[
        (f"{provider.upper()}_BASE_URL", value)
        for provider in PROVIDER_NAMES
        for value in (
            "ai.invalid",
            "ftp://ai.invalid",
            "https:///v1",
            "https://user:pass@ai.invalid",
            "https://ai.invalid/v1?key=1",
            "https://ai.invalid/#x",
            "https://ai.invalid:0/",
            "https://ai.invalid:99999/",
            "https://[::1/",
            "https://ai.invalid/a b",
        )
    ],
    *[("TASKFLOW_REVALIDATE_HOURS", value) for value in ("0", "-1", "x", "nan", "inf", "9999", "1e3", "\uff11")],
    *[("TASKFLOW_REVALIDATE_CONFIRM_MINUTES", value) for value in ("-1", "x", "nan", "99999")],
]
SECRET_NAMES = {"ENCRYPTION_KEY", "JWT_SECRET_KEY", "API_KEY_ENCRYPTION_SECRET"}


@pytest.mark.parametrize(("name", "value"), BAD_VALUES)
def test_bad_value_is_one_sentence_that_names_the_variable(name: str, value: str) -> None:
    """Exit status 2, or 6 for secrets; the value is not quoted."""
    expected = EncryptionKeyInvalidError if name in SECRET_NAMES else UsageError

    with pytest.raises(expected) as caught:
        Config.from_environ({name: value})

    sentence = str(caught.value)
    assert re.fullmatch(rf"{name} .+\.", sentence)
    assert caught.value.exit_status == (6 if name in SECRET_NAMES else 2)
    assert len(value) < 5 or value not in sentence


def test_bad_values_cover_every_variable_with_a_rule() -> None:
    """All but the URL, whose trouble shows in `/health`."""
    assert {getattr(value, "values", value)[0] for value in BAD_VALUES} == {v.name for v in VARIABLES} - {
        "TASKFLOW_DATABASE_URL"
    }


@pytest.mark.parametrize("text", ["1", "true", "YES", "on", "0", "False", "no", "OFF"])
def test_switch_takes_the_usual_words(text: str) -> None:
    """In any case."""
    assert Config.from_environ({"TASKFLOW_EMBEDDED": text}).embedded is (text.lower() in {"1", "true", "yes", "on"})


# --- directories -----------------------------------------------------------------------------------------------------


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In both directories and in the flag."""
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", "/home/lead")

    home = Path("/home/lead").absolute()
    config = Config.from_environ({"TASKFLOW_CONFIG_DIR": "~/c", "TASKFLOW_DATA_DIR": "~/d"})

    assert (config.config_dir, config.data_dir) == (home / "c", home / "d")
    assert Config.from_environ({}, config_dir="~/f").config_dir == home / "f"


def test_relative_directories_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the working directory of the start; links are not followed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)

    config = Config.from_environ({"TASKFLOW_CONFIG_DIR": "link/../link/c", "TASKFLOW_DATA_DIR": "./d"})

    assert (config.config_dir, config.data_dir) == (tmp_path / "link" / "c", tmp_path / "d")


@posix_only
def test_relative_directory_without_a_working_directory_is_worded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that the sidecar was started in may be gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(UsageError, match=r"^TASKFLOW_CONFIG_DIR must be absolute"):
        Config.from_environ({"TASKFLOW_CONFIG_DIR": "relative"})
    monkeypatch.chdir(tmp_path)


def test_data_directory_follows_the_config_directory() -> None:
    """`data/` inside one that was chosen, by variable or flag, unless chosen itself."""
    assert Config.from_environ({"TASKFLOW_CONFIG_DIR": "/c"}).data_dir == Path("/c/data").absolute()
    assert Config.from_environ({"TASKFLOW_CONFIG_DIR": "/c"}, config_dir="/f").data_dir == Path("/f/data").absolute()
    assert Config.from_environ({"TASKFLOW_DATA_DIR": "/d"}, config_dir="/f").data_dir == Path("/d").absolute()


# --- flags -----------------------------------------------------------------------------------------------------------


def test_flags_win() -> None:
    """Over variables, good or bad."""
    environ = {"TASKFLOW_CONFIG_DIR": "/c", "TASKFLOW_PORT": "nonsense", "TASKFLOW_LOG_LEVEL": "nonsense"}

    config = Config.from_environ(environ, config_dir="/f", port=0, log_level="error")

    assert (config.config_dir, config.port, config.log_level) == (Path("/f").absolute(), 0, "error")


def test_launcher_gets_a_free_port_unless_it_chose_one() -> None:
    """`--stdio` announces the port, so any will do."""
    assert Config.from_environ({}, stdio=True).port == 0
    assert Config.from_environ({"TASKFLOW_PORT": "9000"}, stdio=True).port == 9000
    assert Config.from_environ({}, stdio=True, port=9001).port == 9001


# --- unknown names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("TASKFLOW_CONFIG", "TASKFLOW_CONFIG_DIR"),
        ("TASKFLOW_CONFIGDIR", "TASKFLOW_CONFIG_DIR"),
        ("TASKFLOW_DATA", "TASKFLOW_DATA_DIR"),
        ("TASKFLOW_DB_URL", "TASKFLOW_DATABASE_URL"),
        ("TASKFLOW_DATABSE_URL", "TASKFLOW_DATABASE_URL"),
        ("TASKFLOW_LOGLEVEL", "TASKFLOW_LOG_LEVEL"),
        ("TASKFLOW_ORIGINS", "TASKFLOW_ALLOWED_ORIGINS"),
        ("TASKFLOW_PROT", "TASKFLOW_PORT"),
        ("TASKFLOW_EMBEDED", "TASKFLOW_EMBEDDED"),
        ("taskflow_port", "TASKFLOW_PORT"),
    ],
)
def test_unknown_name_is_told_with_the_nearest(name: str, nearest: str) -> None:
    """A typing error does not pass in silence."""
    config = Config.from_environ({name: "x"})

    assert config.warnings == (
        f"The environment variable {name} is unknown and has no effect. Did you mean {nearest}?",
    )


def test_only_our_names_are_checked() -> None:
    """What other programs call their variables is their affair."""
    environ = {"PATH": "/bin", "TASKFLOWER": "x", "MY_TASKFLOW_PORT": "x", "ENCRYPTION_KEYS": "x"}

    assert Config.from_environ(environ).warnings == ()


# --- what else there is to know -------------------------------------------------------------------------------------


def test_secrets_are_not_in_the_repr() -> None:
    """Printing the configuration tells none of them."""
    secret = "s3cr3t-" * 8
    environ = {
        "TASKFLOW_DATABASE_URL": f"postgresql://u:{secret}@h/d",
        "ENCRYPTION_KEY": KEY,
        "JWT_SECRET_KEY": secret,
        "API_KEY_ENCRYPTION_SECRET": secret,
    }

    text = repr(Config.from_environ(environ))

    assert "s3cr3t" not in text
    assert KEY not in text
    assert repr(bytes(range(32))) not in text


def test_configuration_does_not_change() -> None:
    """One frozen object, read once."""
    config = Config.from_environ({})

    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 1  # type: ignore[misc]


def test_keys_of_the_handshake_are_named_as_such() -> None:
    """The same rules, another origin in the sentence; none and empty are no key."""
    assert read_encryption_keys(KEY, "The handshake's encryption_key") == (bytes(range(32)),)
    assert read_encryption_keys(None, "x") == read_encryption_keys(" ", "x") == ()
    with pytest.raises(EncryptionKeyInvalidError, match=r"^The handshake's encryption_key is not a Fernet key: "):
        read_encryption_keys(KEY[:-1], "The handshake's encryption_key")


def test_readme_lists_the_variables() -> None:
    """Its table and the one in code are the same, word for word."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+) \| (.+) \|$", (CHECKOUT / "README.md").read_text("utf-8"), re.MULTILINE)

    assert rows == [(variable.name, variable.default, variable.help) for variable in VARIABLES], "\n".join(
        f"| `{variable.name}` | {variable.default} | {variable.help} |" for variable in VARIABLES
    )


def test_variables_have_one_table() -> None:
    """No other module of the package reads the environment by a name that is missing from it."""
    named = {variable.name for variable in VARIABLES}
    used = set()
    for path in (CHECKOUT / "backend" / "app").rglob("*.py"):
        used |= set(re.findall(r"\bTASKFLOW_[A-Z_]+\b", path.read_text("utf-8")))

    assert used <= named, used - named
