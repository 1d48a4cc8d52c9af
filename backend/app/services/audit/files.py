"""The audit log's files in the config directory: how far the log has come, keys of old chains, late uses.

A file that is lost or damaged is never an obstacle: a lost head is learnt anew, and a chain whose key is lost is
checked by its numbers and links.
"""

from __future__ import annotations

import errno
import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final

from app.core.files import read_private, remove, write_atomically
from app.core.logging import get_logger
from app.core.trust import UntrustedError
from app.services.audit.chain import Head

if TYPE_CHECKING:
    from pathlib import Path

HEAD_FILE: Final = "audit.head"
USES_FILE: Final = "audit.uses"
KEYS_FILE: Final = "audit.keys"
_MANIFEST: Final = "manifest"
_DATABASES: Final = "databases"
_MAC: Final = re.compile(r"[0-9a-f]{64}")

log = get_logger(__name__)


class AuditFiles:
    """The files of one config directory; safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._learnt: dict[tuple[str, str], Head] = {}
        """Heads that this process pinned; also those that could not be written down yet."""
        self._roots: dict[str, tuple[int, str]] | None = None
        """Number and digest of the newest manifest seen, by vault; None until the file was read."""
        self._vaults: dict[str, str] = {}
        """The vault that each database held when it was seen last."""
        self._is_behind = False
        """More was seen than the file tells."""

    # --- audit.head --------------------------------------------------------------------------------------------------

    def heads(self, vault_id: str) -> dict[str, Head]:
        """Return the pinned heads of one vault by writer."""
        with self._lock:
            return self._merged().get(vault_id, {})

    def head(self, vault_id: str, writer: str) -> Head | None:
        """Return the pinned head of one chain; the file is read only the first time."""
        with self._lock:
            if (vault_id, writer) not in self._learnt:
                stored = self._stored_heads().get(vault_id, {}).get(writer)
                if stored is None:
                    return None
                self._learnt[vault_id, writer] = stored
            return self._learnt[vault_id, writer]

    def pin(self, vault_id: str, writer: str, head: Head) -> None:
        """Remember how far a chain has come; never takes a step back.

        What is appended is committed by now. If the file cannot be written, the head is kept in memory and written
        with the next one.
        """
        with self._lock:
            known = self._learnt.get((vault_id, writer))
            if known is not None and known.writer_seq >= head.writer_seq:
                return
            self._learnt[vault_id, writer] = head
            self._write_heads()

    def _write_heads(self) -> None:
        try:
            self._read(HEAD_FILE, strict=True)  # heads that cannot be read now must not be written over
            roots = self._known_roots()
            merged = self._merged()
            content: dict[str, Any] = {
                vault: {name: {"writer_seq": at.writer_seq, "mac": at.mac} for name, at in heads.items()}
                for vault, heads in merged.items()
            }
            for vault, (number, digest) in roots.items():
                content.setdefault(vault, {})[_MANIFEST] = {"number": number, "digest": digest}
            if self._vaults:
                content[_DATABASES] = self._vaults
            write_atomically(self._directory / HEAD_FILE, json.dumps(content).encode())
        except OSError as exc:
            log.error("the head of the audit log could not be pinned", extra={"cause": exc.strerror})  # noqa: TRY400
        else:
            self._is_behind = False

    # --- the manifest ------------------------------------------------------------------------------------------------

    def root(self, vault_id: str) -> tuple[int, str] | None:
        """Return number and digest of the newest manifest that was seen of a vault."""
        with self._lock:
            return self._known_roots().get(vault_id)

    def roots(self) -> dict[str, tuple[int, str]]:
        """Return the same of all vaults, by id."""
        with self._lock:
            return dict(self._known_roots())

    def see_root(self, vault_id: str, number: int, digest: str) -> None:
        """Remember a manifest that is committed; never takes a step back. `write_seen`, or the next pin, writes it."""
        with self._lock:
            known = self._known_roots().get(vault_id)
            if known is None or known[0] < number:
                self._known_roots()[vault_id] = (number, digest)
                self._is_behind = True

    def write_seen(self) -> None:
        """Write down what was seen."""
        with self._lock:
            if self._is_behind:
                self._write_heads()

    def vault_in(self, database: str) -> str | None:
        """Return the id of the vault that a database held when it was seen last."""
        with self._lock:
            self._known_roots()
            return self._vaults.get(database)

    def see_vault(self, database: str, vault_id: str) -> None:
        """Remember which vault a database holds."""
        with self._lock:
            self._known_roots()
            if self._vaults.get(database) != vault_id:
                self._vaults[database] = vault_id
                self._write_heads()

    def _known_roots(self) -> dict[str, tuple[int, str]]:
        if self._roots is None:
            stored = self._read_json(HEAD_FILE)
            stored = stored if isinstance(stored, dict) else {}
            self._roots = {vault: root for vault, heads in stored.items() if (root := _root_in(heads)) is not None}
            vaults = stored.get(_DATABASES)
            if isinstance(vaults, dict):
                self._vaults = {name: vault for name, vault in vaults.items() if isinstance(vault, str)}
        return self._roots

    def _merged(self) -> dict[str, dict[str, Head]]:
        """Return what the file says, and this process where it knows more."""
        merged = self._stored_heads()
        for (vault_id, writer), head in self._learnt.items():
            heads = merged.setdefault(vault_id, {})
            if writer not in heads or heads[writer].writer_seq < head.writer_seq:
                heads[writer] = head
        return merged

    def _stored_heads(self) -> dict[str, dict[str, Head]]:
        stored = self._read_json(HEAD_FILE)
        if not isinstance(stored, dict):
            return {}
        return {vault_id: _heads_in(heads) for vault_id, heads in stored.items() if isinstance(heads, dict)}

    # --- audit.keys --------------------------------------------------------------------------------------------------

    def sealed_keys(self, vault_id: str) -> dict[str, str]:
        """Return the sealed MAC keys of one vault's older chains, by fingerprint of the root key that wrote them."""
        stored = self._read_json(KEYS_FILE)
        keys = stored.get(vault_id) if isinstance(stored, dict) else None
        if not isinstance(keys, dict):
            return {}
        return {fingerprint: sealed for fingerprint, sealed in keys.items() if isinstance(sealed, str)}

    def keep_sealed_keys(self, vault_id: str, keys: dict[str, str]) -> None:
        """Keep sealed MAC keys beside, or in the place of, those that are there.

        Raises:
            OSError: the directory cannot be written, or the keys that are there cannot be read now.
        """
        with self._lock:
            self._read(KEYS_FILE, strict=True)
            stored = self._read_json(KEYS_FILE)
            content = stored if isinstance(stored, dict) else {}
            content[vault_id] = self.sealed_keys(vault_id) | keys
            write_atomically(self._directory / KEYS_FILE, json.dumps(content).encode())

    # --- audit.uses --------------------------------------------------------------------------------------------------

    def uses(self) -> list[Any]:
        """Return what `keep_uses` wrote last."""
        stored = self._read_json(USES_FILE)
        return stored if isinstance(stored, list) else []

    def keep_uses(self, uses: list[Any]) -> None:
        """Write JSON values for the next process; an empty list leaves no file.

        Raises:
            OSError: the directory cannot be written.
        """
        if uses:
            write_atomically(self._directory / USES_FILE, json.dumps(uses).encode())
        else:
            remove(self._directory / USES_FILE)

    def _read_json(self, name: str) -> Any:
        content = self._read(name)
        try:
            return json.loads(content) if content else None
        except (ValueError, RecursionError):
            log.warning("a file of the audit log is damaged", extra={"file": name})
            return None

    def _read(self, name: str, *, strict: bool = False) -> bytes:
        """Return a file's content, empty if there is none, if it is not ours alone or too large to be what it should.

        Args:
            name: of the file.
            strict: raise if it cannot be read now; otherwise that counts as empty as well.

        Raises:
            OSError: `strict`, and another program holds the file.
        """
        try:
            return read_private(self._directory / name)
        except FileNotFoundError:
            return b""
        except OSError as exc:
            log.warning("a file of the audit log cannot be read", extra={"file": name, "cause": exc.strerror})
            if strict and not isinstance(exc, UntrustedError) and exc.errno != errno.EFBIG:
                raise
            return b""


def _root_in(stored: Any) -> tuple[int, str] | None:
    root = stored.get(_MANIFEST) if isinstance(stored, dict) else None
    number, digest = (root.get("number"), root.get("digest")) if isinstance(root, dict) else (None, None)
    return (number, digest) if isinstance(number, int) and isinstance(digest, str) else None


def _heads_in(stored: dict[str, Any]) -> dict[str, Head]:
    heads = {}
    for writer, value in stored.items():
        number, mac = (value.get("writer_seq"), value.get("mac")) if isinstance(value, dict) else (None, None)
        if isinstance(number, int) and isinstance(mac, str) and _MAC.fullmatch(mac):
            heads[writer] = Head(number, mac)
    return heads
