"""`taskflow-sidecar doctor`: what is wrong on this computer, and the remedy."""

from __future__ import annotations

import io
import json
import os
import platform
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app import __version__
from app.core.exceptions import AlreadyRunningError, FatalError, ProblemError, UsageError
from app.core.files import write_atomically
from app.core.logging import LOG_DIRECTORY, LOG_FILE, MAX_FILE_BYTES, redact, redact_all
from app.core.ownership import LOCK_FILE, RUN_FILE, owned
from app.core.security import (
    CREDENTIALS_FILE,
    KEY_FILE,
    OWN_FILES,
    existing_keys,
    read_credentials,
    require_own_files,
)
from app.core.trust import read_own, rights_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config

_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_MAX_LOG_BYTES: Final = 1 << 20
_SHOWN_LINES: Final = 200
_SHOWN_BYTES: Final = 1 << 16
MAX_CLOCK_OFFSET_S: Final = 60.0
"""More between this computer's clock and the database's is worth a word."""
_EARLIEST_CLOCK: Final = 1_767_225_600  # 2026-01-01, before this program existed


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str
    remedy: str = ""
    details: dict[str, Any] | None = None
    """Facts of the connection for whoever repairs it, nothing of the password; None for what is no connection."""

    def line(self) -> str:
        """Return the line for a person."""
        mark = "ok    " if self.ok else "WRONG "
        return f"{mark} {self.name}: {self.message}" + (f" {self.remedy}" if self.remedy else "")

    def detail_lines(self) -> list[str]:
        """Return what is known besides, one line each."""
        return [f"       {name}: {value}" for name, value in (self.details or {}).items() if value is not None]

    def document(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def examine(config: Config) -> list[Check]:
    """Look at everything the sidecar needs; no check stops the others.

    Nothing is changed, but for the rights of other users, which every read of a file takes away.
    """
    checks: list[tuple[str, Callable[[Config], Check]]] = [
        ("config directory", _config_directory),
        ("sidecar", _sidecar),
        ("key", _key),
        ("credentials", _credentials),
        ("database", _database),
        ("vault", _vault),
        ("team", _team),
        ("clock", _clock),
        ("proxies", _proxies),
    ]
    found = []
    for name, check in checks:
        try:
            found.append(check(config))
        except ProblemError as exc:
            found.append(Check(name, ok=False, message=exc.problem.message, remedy=exc.problem.remedy))
        except FatalError as exc:
            found.append(Check(name, ok=False, message=str(exc)))
        except OSError as exc:
            found.append(Check(name, ok=False, message=f"It cannot be read: {exc.strerror}."))
    return found


def _config_directory(config: Config) -> Check:
    name = "config directory"
    directory = config.config_dir
    if not directory.exists():
        return Check(name, ok=True, message="It does not exist yet; the first start creates it.")
    if not directory.is_dir():
        return Check(name, ok=False, message="It is not a directory.", remedy="Remove what is in its place.")
    if not os.access(directory, os.W_OK | os.X_OK):
        return Check(name, ok=False, message="It cannot be written.", remedy="Give your user the right to write there.")
    open_to_others = [path.name for path in (directory, *_own_files(directory)) if _is_open_to_others(path)]
    if open_to_others:
        return Check(
            name,
            ok=False,
            message=f"Other users can read {', '.join(open_to_others)}.",
            remedy="The next start takes these rights away; if it cannot, change the owner.",
        )
    require_own_files(directory)
    return Check(name, ok=True, message=f"{directory} is there and owner-only, and nobody else can write on the way.")


def _own_files(directory: Path) -> list[Path]:
    return [path for name in (*OWN_FILES, RUN_FILE) if os.path.lexists(path := directory / name)]


def _is_open_to_others(path: Path) -> bool:
    return rights_of(path, path.lstat()).others_read and not path.is_symlink()


def _sidecar(config: Config) -> Check:
    if not (config.config_dir / LOCK_FILE).exists():
        return Check("sidecar", ok=True, message="None is running.")
    try:
        with owned(config.config_dir):
            return Check("sidecar", ok=True, message="None is running.")
    except AlreadyRunningError:
        return Check("sidecar", ok=True, message="One is running with this config directory.")


def _key(config: Config) -> Check:
    keys = existing_keys(config.config_dir)
    if keys is None:
        return Check("key", ok=True, message=f"{KEY_FILE} does not exist yet; the first start creates it.")
    return Check("key", ok=True, message=f"{KEY_FILE} holds {len(keys.keys)} valid key(s): {keys!r}.")


def _credentials(config: Config) -> Check:
    from app.db.login import trusts_whoever_answers
    from app.db.settings import settings_from_saved

    keys = existing_keys(config.config_dir)
    saved = read_credentials(config.config_dir, keys) if keys is not None else None
    if saved is None:
        return Check("credentials", ok=True, message="No connection is saved.")
    settings = settings_from_saved(saved.values)
    message = f"{CREDENTIALS_FILE} can be decrypted and is complete."
    if trusts_whoever_answers(settings):
        message += f" With the TLS mode {settings.sslmode} another computer could pass for the database server."
        return Check("credentials", ok=True, message=message, remedy="Choose verify-full, which knows them apart.")
    return Check("credentials", ok=True, message=message)


def _database(config: Config) -> Check:
    from app.db.migrations import HEAD
    from app.services.configured import configured

    with configured(config) as found:
        try:
            revision = found.revision()
        except ProblemError as exc:
            told = exc.problem
            return Check("database", ok=False, message=told.message, remedy=told.remedy, details=found.details(told))
        details = found.details()
        lost_at = found.watched.database.description["history_lost_at"]
    if lost_at is not None:
        return Check(
            "database",
            ok=False,
            message=f"It answers, but its server's history was found to have gone back at {lost_at}: what was written"
            " last before that is lost, though it had been acknowledged.",
            remedy="Enter it once more, then state so with 'taskflow-sidecar audit accept-gap'.",
            details=details,
        )
    if revision == HEAD:
        message = f"It answers, and its schema is at {HEAD}."
    elif revision is None:
        message = "It answers and is empty; the next start creates the schema."
    else:
        message = f"It answers; its schema is at {revision}, the newest is {HEAD}."
    return Check("database", ok=True, message=message, details=details)


def _vault(config: Config) -> Check:
    from app.services.vault.check import look

    found = look(config)
    if found is None:
        return Check("vault", ok=True, message="The database has none yet; the next start creates it.")
    if found.keys.active is None:
        return Check(
            "vault",
            ok=False,
            message=found.keys.locked(found.keys.active_kid).message,
            remedy="Give it to the sidecar.",
        )
    total = found.total
    if total.broken:
        columns = ", ".join(column for column, tally in found.tallies.items() if tally.broken)
        message = f"{total.broken} sealed values do not open, in {columns}."
        return Check("vault", ok=False, message=message, remedy="Run 'taskflow-sidecar vault verify'.")
    if total.waiting:
        message = f"{total.waiting} secrets of users were stored with another API_KEY_ENCRYPTION_SECRET."
        return Check("vault", ok=False, message=message, remedy="Set it to what it was.")
    return Check("vault", ok=True, message=f"It is unlocked, and its {total.opened} sealed values open.")


def _team(config: Config) -> Check:
    from app.services.vault.check import AWAY, look_at_team

    found = look_at_team(config, time.time())
    if found is None:
        return Check("team", ok=True, message="The database has no vault yet.")
    members = f"{len(found.members)} in: {', '.join(found.members)}." if found.members else "Nobody is in."
    asking = f" Asking to come in: {', '.join(found.asking)}." if found.asking else ""
    if found.untrusted:
        message = f"{members}{asking} No member vouches for {', '.join(found.untrusted)}."
        return Check("team", ok=False, message=message, remedy="Remove it with 'taskflow-sidecar vault remove'.")
    if found.away:
        message = f"{members}{asking} Not seen for {AWAY.days} days: {', '.join(found.away)}."
        remedy = "Remove who has left with 'taskflow-sidecar vault remove'."
        return Check("team", ok=True, message=message, remedy=remedy)
    return Check("team", ok=True, message=f"{members}{asking}")


def _clock(config: Config) -> Check:
    remedy = "Set date and time of this computer."
    if time.time() < _EARLIEST_CLOCK:
        return Check("clock", ok=False, message="It is set to the past.", remedy=remedy)
    offset_s = _clock_offset_s(config)
    if offset_s is not None and abs(offset_s) > MAX_CLOCK_OFFSET_S:
        minutes, seconds = divmod(round(abs(offset_s)), 60)
        side = "ahead of" if offset_s > 0 else "behind"
        message = f"It is {minutes} min {seconds} s {side} the database's, which dates the team's work."
        return Check("clock", ok=False, message=message, remedy=remedy)
    return Check("clock", ok=True, message="It is plausible.")


def _clock_offset_s(config: Config) -> float | None:
    """Return by how much this computer's clock is ahead of the database's; None if that is not known."""
    from app.services.configured import configured

    try:
        with configured(config) as found:
            found.revision()
            offset_s: float | None = found.watched.database.description["clock_offset_s"]
    except ProblemError:  # the check of the database tells
        return None
    return offset_s


def _proxies(_: Config) -> Check:
    names = [name for name in _PROXIES if os.environ.get(name)]
    if not names:
        return Check("proxies", ok=True, message="None is set.")
    return Check("proxies", ok=True, message=f"{', '.join(names)} set; connections to this computer do not use them.")


def write_bundle(file: str, config: Config, checks: list[Check]) -> None:
    """Write a support archive to a file.

    Raises:
        UsageError: it cannot be written there, or a log cannot be read.
    """
    try:
        write_atomically(Path(file).absolute(), bundle(config, checks))
    except OSError as exc:
        raise UsageError(f"The support archive cannot be written: {exc.strerror}.") from None


def bundle(config: Config, checks: list[Check]) -> bytes:
    """Return a support archive: the checks, the versions, the logs, all redacted; never a key, token or password.

    Raises:
        OSError: a log cannot be read.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        findings = redact_all([check.document() for check in checks])
        archive.writestr("doctor.json", json.dumps(findings, indent=2))
        archive.writestr("about.json", json.dumps(_about(config), indent=2))
        for log in sorted((config.data_dir / LOG_DIRECTORY).glob(f"{LOG_FILE}*")):
            archive.writestr(f"logs/{log.name}", "".join(f"{line}\n" for line in _redacted_log(log, _MAX_LOG_BYTES)))
    return content.getvalue()


def log_lines(config: Config) -> list[str]:
    """Return the newest lines of the log, redacted once more; none where there is no log.

    Raises:
        OSError: it cannot be read.
    """
    log = config.data_dir / LOG_DIRECTORY / LOG_FILE
    if not log.exists():
        return []
    return _redacted_log(log, _SHOWN_BYTES)[-_SHOWN_LINES:]


def _redacted_log(log: Path, most_bytes: int) -> list[str]:
    """Return the newest lines of a log file, redacted once more, without one that was cut."""
    text = read_own(log, 16 * MAX_FILE_BYTES)
    lines = text[-most_bytes:].decode("utf-8", "replace").splitlines()
    return [redact(line) for line in lines[len(text) > most_bytes :]]


def _about(config: Config) -> dict[str, Any]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "embedded": config.embedded,
        "variables": sorted(name for name in os.environ if name.startswith("TASKFLOW_")),
    }
