"""Everything the sidecar takes from flags and environment: one frozen object, read once.

`VARIABLES` is the one table of environment variables: `--help`, the README and the check of unknown names read it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import SplitResult, urlsplit

from app.core.exceptions import EncryptionKeyInvalidError, UsageError
from app.core.fernet_keys import parse_key_list
from app.core.logging import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT: Final = 8000
MIN_JWT_SECRET_BYTES: Final = 32
MIN_API_KEY_SECRET_CHARS: Final = 32
PROVIDER_NAMES: Final = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google", "deepseek": "DeepSeek"}
"""Names of the AI providers, as programs and as people write them."""
MAX_INTERVAL: Final = 8760.0


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, its default as people read it, and what it does."""

    name: str
    default: str
    help: str


VARIABLES: Final = (
    Variable("TASKFLOW_CONFIG_DIR", "per-user config directory", "Directory of fernet.key and db_credentials.enc."),
    Variable(
        "TASKFLOW_DATA_DIR",
        "data/ in TASKFLOW_CONFIG_DIR, else per-user data directory",
        "Directory of the embedded database and the logs.",
    ),
    Variable(
        "TASKFLOW_DATABASE_URL", "none", "Database used when no connection is saved: postgresql:// or sqlite:///."
    ),
    Variable("TASKFLOW_EMBEDDED", "1", "0 switches the embedded SQLite database off."),
    Variable("TASKFLOW_PORT", "8000; 0 with --stdio", "TCP port on 127.0.0.1; 0 asks the system for a free one."),
    Variable("TASKFLOW_LOG_LEVEL", "info", f"One of {' '.join(LEVELS)}."),
    Variable("TASKFLOW_ALLOWED_ORIGINS", "none", "Browser origins allowed besides localhost, separated by commas."),
    Variable(
        "ENCRYPTION_KEY",
        "fernet.key",
        "Fernet key of the vault, or several separated by commas: the first encrypts, all decrypt.",
    ),
    Variable("JWT_SECRET_KEY", "none", "Signs and checks users' and tenants' tokens; at least 32 bytes."),
    Variable("JWT_AUDIENCE", "none", "Demanded of users' and tenants' tokens as aud; minted ones carry it."),
    Variable("JWT_ISSUER", "none", "Demanded of users' and tenants' tokens as iss; minted ones carry it."),
    Variable("API_KEY_ENCRYPTION_SECRET", "none", "Mixed into the keys of users' secrets; at least 32 characters."),
    *(
        Variable(f"{provider.upper()}_BASE_URL", "the provider's own", f"Where {name} is reached, without /v1.")
        for provider, name in PROVIDER_NAMES.items()
    ),
    Variable("TASKFLOW_REVALIDATE_HOURS", "24", "Hours between checks of a stored API key with its provider."),
    Variable(
        "TASKFLOW_REVALIDATE_CONFIRM_MINUTES", "10", "Minutes until a key that its provider has refused is asked again."
    ),
)

_NAMES: Final = tuple(variable.name for variable in VARIABLES)
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")
_VERSION_AT_END: Final = re.compile(r"/v1(beta)?\Z")
_PRINTABLE: Final = re.compile(r"[!-~]+")
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the sidecar takes from its surroundings."""

    config_dir: Path
    """Directory of `fernet.key` and `db_credentials.enc`."""
    data_dir: Path
    """Directory of the embedded database and `logs/`."""
    port: int = DEFAULT_PORT
    """TCP port on 127.0.0.1; 0 asks the operating system for a free one."""
    log_level: str = "info"
    stdio: bool = False
    """Run by a launcher: handshake on stdin, events on stdout."""
    no_auth: bool = False
    """Development only: no launch token is asked for."""
    open_browser: bool = False
    database_url: str | None = field(default=None, repr=False)
    embedded: bool = True
    allowed_origins: tuple[str, ...] = ()
    encryption_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Raw 32-byte keys of `ENCRYPTION_KEY`; the first encrypts. Empty: `fernet.key` serves."""
    jwt_secret: str | None = field(default=None, repr=False)
    jwt_audience: str | None = None
    jwt_issuer: str | None = None
    api_key_secret: str | None = field(default=None, repr=False)
    provider_urls: Mapping[str, str] = field(default_factory=dict)
    """Where providers are reached instead of where they are by default; without a slash or version at the end."""
    revalidate_hours: float = 24.0
    """Hours between checks of a stored API key with its provider."""
    revalidate_confirm_minutes: float = 10.0
    """Minutes between the two refusals that make a stored API key invalid."""
    warnings: tuple[str, ...] = ()
    """Sentences to log: unknown variables."""

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        config_dir: str | None = None,
        port: int | None = None,
        log_level: str | None = None,
        stdio: bool = False,
        no_auth: bool = False,
        open_browser: bool = False,
    ) -> Self:
        """Read the environment; arguments are flags, which win over it.

        Raises:
            UsageError: a value cannot be used.
            EncryptionKeyInvalidError: a secret is malformed or too short.
        """
        given = {name: value for name, value in environ.items() if value.strip()}
        directory = _config_directory(config_dir, given.get("TASKFLOW_CONFIG_DIR"))
        return cls(
            config_dir=directory or _per_user_directory("config"),
            data_dir=_data_directory(given.get("TASKFLOW_DATA_DIR"), directory),
            port=_port(port, given.get("TASKFLOW_PORT"), default=0 if stdio else DEFAULT_PORT),
            log_level=_log_level(log_level or given.get("TASKFLOW_LOG_LEVEL", "info")),
            stdio=stdio,
            no_auth=no_auth,
            open_browser=open_browser,
            database_url=given.get("TASKFLOW_DATABASE_URL"),
            embedded=_flag("TASKFLOW_EMBEDDED", given.get("TASKFLOW_EMBEDDED", "1")),
            allowed_origins=_origins(given.get("TASKFLOW_ALLOWED_ORIGINS", "")),
            encryption_keys=read_encryption_keys(given.get("ENCRYPTION_KEY"), "ENCRYPTION_KEY"),
            jwt_secret=_jwt_secret(given.get("JWT_SECRET_KEY")),
            jwt_audience=_printable("JWT_AUDIENCE", given),
            jwt_issuer=_printable("JWT_ISSUER", given),
            api_key_secret=_api_key_secret(given.get("API_KEY_ENCRYPTION_SECRET")),
            provider_urls=_provider_urls(given),
            revalidate_hours=_number("TASKFLOW_REVALIDATE_HOURS", given, default=24.0, minimum=0.001),
            revalidate_confirm_minutes=_number("TASKFLOW_REVALIDATE_CONFIRM_MINUTES", given, default=10.0, minimum=0.0),
            warnings=tuple(_unknown_names(environ)),
        )

    def with_secrets(
        self, *, encryption_key: str | None, jwt_secret_key: str | None, api_key_encryption_secret: str | None
    ) -> Self:
        """Return the same with what a launcher handed over on stdin, which wins over the environment.

        Raises:
            EncryptionKeyInvalidError: one is malformed or too short.
        """
        return replace(
            self,
            encryption_keys=read_encryption_keys(encryption_key, "The handshake's encryption_key")
            or self.encryption_keys,
            jwt_secret=_jwt_secret(jwt_secret_key, "The handshake's jwt_secret_key") or self.jwt_secret,
            api_key_secret=_api_key_secret(api_key_encryption_secret, "The handshake's api_key_encryption_secret")
            or self.api_key_secret,
        )


def read_encryption_keys(text: str | None, origin: str) -> tuple[bytes, ...]:
    """Decode the value of `ENCRYPTION_KEY` or of the handshake's field; none or empty means no key.

    Raises:
        EncryptionKeyInvalidError: malformed; the message names `origin`, never the value.
    """
    if text is None or not text.strip():
        return ()
    try:
        return parse_key_list(text)
    except ValueError as exc:
        raise EncryptionKeyInvalidError(f"{origin} is not a Fernet key: {exc}.") from None


def _config_directory(flag: str | None, variable: str | None) -> Path | None:
    if flag:
        return _absolute(flag, "--config-dir")
    return _absolute(variable, "TASKFLOW_CONFIG_DIR") if variable else None


def _absolute(directory: str, origin: str) -> Path:
    try:
        return Path(os.path.abspath(Path(directory).expanduser()))  # noqa: PTH100 - resolve() would follow links
    except RuntimeError:
        raise UsageError(f"{origin} begins with ~, but that home directory is not known.") from None
    except OSError:
        raise UsageError(f"{origin} must be absolute: the working directory does not exist.") from None


def _per_user_directory(kind: str) -> Path:
    from platformdirs import PlatformDirs

    directories = PlatformDirs("TaskFlow", appauthor=False)
    return Path(directories.user_config_dir if kind == "config" else directories.user_data_dir)


def _data_directory(data_dir: str | None, config_dir: Path | None) -> Path:
    if data_dir:
        return _absolute(data_dir, "TASKFLOW_DATA_DIR")
    return config_dir / "data" if config_dir else _per_user_directory("data")


def _port(flag: int | None, variable: str | None, *, default: int) -> int:
    if flag is not None:
        return flag
    if variable is None:
        return default
    text = variable.strip()
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:
        raise UsageError("TASKFLOW_PORT must be a whole number from 0 to 65535.")
    return int(text)


def _log_level(text: str) -> str:
    level = text.strip().lower()
    if level not in LEVELS:
        raise UsageError(f"TASKFLOW_LOG_LEVEL must be one of {' '.join(LEVELS)}.")
    return level


def _flag(name: str, text: str) -> bool:
    value = text.strip().lower()
    if value not in _TRUE + _FALSE:
        raise UsageError(f"{name} must be 1 or 0.")
    return value in _TRUE


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip().rstrip("/").lower() for part in text.split(",") if part.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError("TASKFLOW_ALLOWED_ORIGINS must hold origins such as https://app.example, with commas.")
    return origins


def _provider_urls(given: Mapping[str, str]) -> Mapping[str, str]:
    names = {provider: f"{provider.upper()}_BASE_URL" for provider in PROVIDER_NAMES}
    return {provider: _base_url(name, given[name]) for provider, name in names.items() if name in given}


def _base_url(name: str, text: str) -> str:
    """Return a base URL without a slash or a version at the end, which the SDKs write and the paths have already."""
    url = text.strip()
    parts = _split(url)
    if parts is None or "@" in parts.netloc or parts.query or parts.fragment or not _PRINTABLE.fullmatch(url):
        raise UsageError(f"{name} must be an address such as https://api.example, without credentials.")
    return _VERSION_AT_END.sub("", f"{parts.scheme}://{parts.netloc.lower()}{parts.path}".rstrip("/")).rstrip("/")


def _split(url: str) -> SplitResult | None:
    """Return the parts of an HTTP address; None if it is none."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


def _number(name: str, given: Mapping[str, str], *, default: float, minimum: float) -> float:
    text = given.get(name)
    if text is None:
        return default
    number = float(text) if _DECIMAL.fullmatch(text.strip()) else -1.0
    if not minimum <= number <= MAX_INTERVAL:
        raise UsageError(f"{name} must be a number from {minimum:g} to {MAX_INTERVAL:g}.")
    return number


def _jwt_secret(text: str | None, origin: str = "JWT_SECRET_KEY") -> str | None:
    _check_utf8(origin, text)
    if text is not None and len(text.encode()) < MIN_JWT_SECRET_BYTES:
        raise EncryptionKeyInvalidError(f"{origin} must be at least {MIN_JWT_SECRET_BYTES} bytes long.")
    return text


def _printable(name: str, given: Mapping[str, str]) -> str | None:
    text = given.get(name)
    if text is not None and not text.isprintable():
        raise UsageError(f"{name} must be printable text.")
    return text


def _api_key_secret(text: str | None, origin: str = "API_KEY_ENCRYPTION_SECRET") -> str | None:
    _check_utf8(origin, text)
    if text is not None and len(text) < MIN_API_KEY_SECRET_CHARS:
        raise EncryptionKeyInvalidError(f"{origin} must be at least {MIN_API_KEY_SECRET_CHARS} characters long.")
    return text


def _check_utf8(name: str, text: str | None) -> None:
    """Refuse bytes that Python smuggles through as half surrogate pairs: they could not be encoded when it matters."""
    if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
        raise EncryptionKeyInvalidError(f"{name} is not valid UTF-8.")


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    sentences = []
    for name in sorted(environ):
        if name.upper().startswith("TASKFLOW_") and name not in _NAMES:
            import difflib  # takes longer to load than all that is checked here

            near = difflib.get_close_matches(name.upper(), _NAMES, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            sentences.append(f"The environment variable {name} is unknown and has no effect.{hint}")
    return sentences
