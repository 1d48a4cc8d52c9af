"""The npm package around a built sidecar, one for each kind of system, as esbuild and others ship their programs.

The Electron bridge names all of them as optional dependencies, and npm installs the one whose `os` and `cpu` are the
computer's. No script runs while it is installed. The same folder gives the same archive, byte for byte.
"""

import gzip
import hashlib
import io
import json
import platform
import sys
import tarfile
from pathlib import Path

from _environment import ROOT, SetupError

DIGESTS = "SHA256SUMS"
SYSTEMS = ("linux-x64", "linux-arm64", "win32-x64", "win32-arm64", "darwin-x64", "darwin-arm64")
"""What packages there may be, as Node names system and processor; `electron-bridge/package.json` lists the same."""
_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_EPOCH = 946_684_800
"""The modification time of every file: 2000-01-01."""


def system_name() -> str:
    """Return this computer's kind of system as Node would name it, such as `linux-x64`.

    Raises:
        SetupError: no package is made for it.
    """
    name = f"{sys.platform}-{_ARCHITECTURES.get(platform.machine().lower(), platform.machine())}"
    if name not in SYSTEMS:
        raise SetupError(f"There is no package for {name}.")
    return name


def write_digests(folder: Path) -> None:
    """Write the digest of every file in `folder` into `SHA256SUMS`, as `sha256sum --check` reads it."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in files]
    (folder / DIGESTS).write_text("".join(lines), encoding="utf-8", newline="\n")


def archive_of(output: Path, system: str, version: str) -> Path:
    """Return where the package for a kind of system is made, below `output`."""
    return output / f"taskflow-sidecar-{system}-{version}.tgz"


def pack(folder: Path, archive_file: Path, system: str, version: str) -> None:
    """Pack a built sidecar.

    Args:
        folder: the sidecar, built on this computer.
        archive_file: what is made.
        system: what it was built for.
        version: the sidecar's.
    """
    glibc = platform.libc_ver()[1] if system.startswith("linux") else ""
    contents = {
        "package.json": json.dumps(manifest(system, version), indent=2) + "\n",
        "README.md": _readme(system, glibc),
        "LICENSE": (ROOT / "LICENSE").read_text(encoding="utf-8"),
    }
    unfinished = archive_file.with_suffix(".part")
    with (
        unfinished.open("wb") as file,
        # Without a file's name and with a fixed time, so that equal folders give equal archives.
        gzip.GzipFile("", "wb", 9, file, _EPOCH) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, text in contents.items():
            data = text.encode()
            archive.addfile(_entry(f"package/{path}", len(data), is_program=False), io.BytesIO(data))
        for source in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = f"package/{folder.name}/{source.relative_to(folder).as_posix()}"
            is_program = source.suffix == ".exe" or bool(source.stat().st_mode & 0o100)
            with source.open("rb") as data_file:
                archive.addfile(_entry(entry, source.stat().st_size, is_program=is_program), data_file)
    unfinished.replace(archive_file)


def manifest(system: str, version: str) -> dict[str, object]:
    """Return the `package.json` of the package for a kind of system."""
    operating_system, processor = system.split("-")
    return {
        "name": f"@taskflow/sidecar-{system}",
        "version": version,
        "description": f"The TaskFlow sidecar for {system}, found by @taskflow/electron-bridge.",
        "license": "MIT",
        "os": [operating_system],
        "cpu": [processor],
        **({"libc": ["glibc"]} if operating_system == "linux" else {}),
        # Yarn would keep it in an archive, out of which no program starts.
        "preferUnplugged": True,
    }


def _readme(system: str, glibc: str) -> str:
    needs = f" It was built with glibc {glibc} and runs with that or a newer one." if glibc else ""
    return (
        f"# @taskflow/sidecar-{system}\n\n"
        "The TaskFlow sidecar as a folder that needs no Python. It comes with `@taskflow/electron-bridge`, which\n"
        f"starts it while an app is developed and tells how it is packaged.{needs}\n\n"
        f"In `taskflow-sidecar/`: `THIRD_PARTY_NOTICES.txt` (licences), `sbom.cdx.json` (CycloneDX), `{DIGESTS}`.\n"
    )


def _entry(name: str, size: int, *, is_program: bool) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = size, _EPOCH
    entry.mode = 0o755 if is_program else 0o644
    return entry
