"""A real Chromium for one page, and a web site that serves it and hears what the page found out."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.real_parts import require_binary
from tests.support.sidecar import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-default-browser-check"),
    # a proxy of the machine is none of the tests' business
    "--no-proxy-server",
)


class Website:
    """A site on 127.0.0.1 with one page; `POST /report` is how the page tells what it found out.

    Args:
        page: the HTML.
        on_page: called each time the page has been sent.
    """

    def __init__(self, page: str, *, on_page: Callable[[], object] = lambda: None) -> None:
        self._reports: queue.Queue[Any] = queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            """Serves the page to whoever asks, over a connection for each answer."""

            def do_GET(self) -> None:
                self._answer(200 if self.path == "/" else 404, page.encode() if self.path == "/" else b"")
                if self.path == "/":
                    on_page()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                site._reports.put(json.loads(body))
                self._answer(204, b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                pass

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="site", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def wait_for_report(self, timeout_s: float = 60) -> Any:
        """Return what the page reported.

        Raises:
            TimeoutError: it reported nothing.
        """
        try:
            return self._reports.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"the page reported nothing within {timeout_s:g} s") from None


@contextlib.contextmanager
def chromium(address: str, *, hosts: Mapping[str, int]) -> Iterator[subprocess.Popen[bytes]]:
    """Open a page, with a profile of its own; the browser ends with the block.

    Args:
        address: the page.
        hosts: names, and the port on 127.0.0.1 to which each leads, whatever port the address names.
    """
    program = require_binary("chromium", package="chromium")
    rules = ",".join(f"MAP {name} 127.0.0.1:{port}" for name, port in hosts.items())
    with tempfile.TemporaryDirectory(prefix="taskflow-browser-", ignore_cleanup_errors=True) as directory:
        browser = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={directory}/profile", f"--host-resolver-rules={rules}", address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(Path(directory)),
        )
        try:
            yield browser
        finally:
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
