"""What helps whoever helps this person: the log's newest lines, and an archive to send."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.core.exceptions import StorageError

if TYPE_CHECKING:
    from app.core.config import Config


class Support:
    """Reads what the doctor reads, from within the running sidecar."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._one_at_a_time = threading.Lock()

    def log_lines(self) -> list[str]:
        """Return the newest lines of the log, redacted.

        Raises:
            StorageError: it cannot be read.
        """
        from app.services.doctor import log_lines

        try:
            return log_lines(self._config)
        except OSError:
            raise StorageError("The log cannot be read") from None

    def bundle(self) -> bytes:
        """Return the support archive; a database that does not answer is waited for.

        Raises:
            StorageError: a log cannot be read.
        """
        from app.services.doctor import bundle, examine

        with self._one_at_a_time:
            try:
                return bundle(self._config, examine(self._config))
            except OSError:
                raise StorageError("The support archive cannot be made") from None
