"""Two builds side by side: what one has and the other has not, and which files differ."""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

from _environment import SetupError


def differences(first: Path, second: Path) -> list[str]:
    """Compare two folders, or two npm packages (`.tgz`), file by file.

    Returns:
        A line for each file that is only in one (`only in FIRST: NAME`) or in both and not the same (`differs: NAME`);
        the mode counts too. Empty when they are the same.

    Raises:
        SetupError: one of them is neither.
    """
    ours, theirs = dict(_files(first)), dict(_files(second))
    lines = []
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            lines.append(f"only in {first}: {name}")
        elif name not in ours:
            lines.append(f"only in {second}: {name}")
        elif ours[name] != theirs[name]:
            lines.append(f"differs: {name}")
    return lines


def _files(build: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield the name of each file, with its mode and digest."""
    if build.is_dir():
        for file in build.rglob("*"):
            if file.is_file():
                with file.open("rb") as opened:
                    digest = hashlib.file_digest(opened, "sha256").hexdigest()
                yield file.relative_to(build).as_posix(), (file.stat().st_mode & 0o777, digest)
        return
    try:
        with tarfile.open(build) as archive:
            for entry in archive:
                member = archive.extractfile(entry)
                if member is not None:
                    yield entry.name, (entry.mode & 0o777, hashlib.sha256(member.read()).hexdigest())
    except (OSError, tarfile.TarError) as error:
        raise SetupError(f"{build} is neither a folder nor an npm package ({error}).") from error
