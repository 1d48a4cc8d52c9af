"""Scripts that use what supports the tests: they go on in the tests' environment, with the checkout on their path."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from _environment import ROOT, Environment, SetupError, become


def enter_tests_environment(script: str, arguments: list[str]) -> None:
    """Return in the tests' environment only, made if need be; elsewhere the script begins anew in it.

    Args:
        script: its own file.
        arguments: as it was given them.
    """
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    if Path(sys.prefix) != ROOT / ".venv-test":
        environment.ensure()
        become([str(environment.python), str(Path(script).absolute()), *arguments])
    sys.path.insert(0, str(ROOT))


@contextlib.contextmanager
def naming_missing_parts() -> Iterator[None]:
    """Tell in one sentence which program is not installed, where a test would be skipped.

    Raises:
        SetupError: one is missing.
    """
    import pytest

    try:
        yield
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise SetupError(missing.msg) from None
