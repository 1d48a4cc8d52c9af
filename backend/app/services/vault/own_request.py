"""`join.request`: the join code of the request that this desktop has made, sealed under its local root key."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from app.core.derivation import hkdf
from app.core.files import read_private, remove, write_atomically
from app.core.logging import get_logger
from app.db.base import instant_text
from app.services.vault.join_codes import CODE_BYTES, JoinCode
from app.services.vault.sealing import SealBrokenError, open_under, seal_under

if TYPE_CHECKING:
    from pathlib import Path

REQUEST_FILE: Final = "join.request"

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """What this desktop has asked for."""

    vault_id: str
    device_id: str
    code: JoinCode = field(repr=False)
    expires_at: dt.datetime


class OwnRequestFile:
    """The request of one config directory."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / REQUEST_FILE

    def exists(self) -> bool:
        """Tell whether there may be a request; the file is not read."""
        return self._file.exists()

    def keep(self, root: bytes, request: OwnRequest) -> None:
        """Write a request down, in the place of an older one.

        Raises:
            OSError: it cannot be written.
        """
        content = {
            "device_id": request.device_id,
            "code": request.code.raw.hex(),
            "expires_at": instant_text(request.expires_at),
        }
        sealed = seal_under(_key(root, request.vault_id), json.dumps(content).encode("ascii"))
        write_atomically(self._file, json.dumps({"vault_id": request.vault_id, "sealed": sealed}).encode("ascii"))

    def read(self, root: bytes) -> OwnRequest | None:
        """Return the request; None if there is none, or one that this root key did not make."""
        try:
            content = json.loads(read_private(self._file))
            vault_id = content["vault_id"]
            inner = json.loads(open_under(_key(root, vault_id), content["sealed"]))
            return OwnRequest(vault_id, inner["device_id"], _code(inner["code"]), _instant(inner["expires_at"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SealBrokenError):
            log.warning("the request to come in cannot be read")
            return None

    def forget(self) -> None:
        """Delete the request, if there is one."""
        try:
            remove(self._file)
        except OSError as exc:
            log.error("the request to come in cannot be deleted", extra={"cause": exc.strerror})  # noqa: TRY400


def _key(root: bytes, vault_id: str) -> bytes:
    return hkdf(root, vault_id, "join-request")


def _code(text: Any) -> JoinCode:
    raw = bytes.fromhex(text)
    if len(raw) != CODE_BYTES:
        raise ValueError("not a join code")
    return JoinCode(raw)


def _instant(text: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
