"""Tell what a built folder is made of: `python scripts/notices.py WORK FOLDER VERSION`, run by `build.py`.

From PyInstaller's own tables come `sbom.cdx.json` (CycloneDX 1.5: every distribution, every shared library) and
`THIRD_PARTY_NOTICES.txt` (their licences). It runs in the environment that the folder was built from.
"""

import ast
import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

LIST = "sbom.cdx.json"
NOTICES = "THIRD_PARTY_NOTICES.txt"
OWN = "taskflow-sidecar"
OWN_SOURCES = Path(__file__).resolve().parent.parent / "backend"
_CARRIED = ("pyinstaller",)
"""Its start program is the executable, and stands in no table."""


@dataclass
class Part:
    """One thing in the folder that somebody else made."""

    name: str
    version: str
    purl: str
    license: str
    texts: list[str]
    files: set[str] = field(default_factory=set)

    def component(self) -> dict[str, object]:
        """Return it as CycloneDX says it."""
        return {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
            "licenses": [{"license": {"name": self.license}}],
            "properties": [{"name": "taskflow:file", "value": file} for file in sorted(self.files)],
        }


def main(work: Path, folder: Path, version: str) -> None:
    """Write both files into `folder`, which holds the sidecar of that version."""
    collected = [(name, source) for name, source in _entries(work) if source.suffix != ".dll" or _is_in(folder, name)]
    parts = sorted(parts_of(collected), key=lambda part: part.name.lower())
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": OWN, "version": version}},
        "components": [part.component() for part in parts],
    }
    (folder / LIST).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    rule = "=" * 100
    notices = [
        f"{rule}\n{part.name} {part.version} ({part.license})\n{rule}\n\n" + "\n\n".join(part.texts) for part in parts
    ]
    (folder / NOTICES).write_text("\n\n".join(notices) + "\n", encoding="utf-8")


def parts_of(entries: list[tuple[str, Path]]) -> Iterable[Part]:
    """Return who made the files that PyInstaller collected.

    Args:
        entries: name in the folder and source of each.
    """
    owners = dict(_owned())
    parts: dict[str, Part] = {name: _of_distribution(distribution(name)) for name in _CARRIED}
    parts["python"] = _of_python()
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    for name, source in entries:
        owner = owners.get(source)
        if OWN_SOURCES in source.parents:
            continue
        if owner is not None:
            part = parts.setdefault(owner.name.lower(), _of_distribution(owner))
        elif standard in source.parents or "python" in source.name.lower() or ".so" not in source.name:
            part = parts["python"]
        else:
            found = _of_system(source)
            part = parts.setdefault(found.purl, found)
        if ".so" in source.name or source.suffix in {".dll", ".pyd", ".dylib"}:
            part.files.add(Path(name).name)
    return parts.values()


def _owned() -> Iterator[tuple[Path, Distribution]]:
    """Yield the installed files, each with its distribution."""
    for found in distributions():
        # Resolved once and not with every file, which takes minutes under Wine.
        root = Path(str(found.locate_file(""))).resolve()
        for file in found.files or ():
            yield Path(os.path.normpath(root / file)), found


def _is_in(folder: Path, name: str) -> bool:
    return (folder / name).exists() or (folder / "lib" / name).exists()


def _entries(work: Path) -> Iterator[tuple[str, Path]]:
    for table in [*work.rglob("COLLECT-*.toc"), *work.rglob("PYZ-*.toc")]:
        for row in _rows(ast.literal_eval(table.read_text(encoding="utf-8"))):
            source = Path(row[1])
            if source.is_absolute() and work not in source.parents and source.exists():
                yield row[0], source.resolve()


def _rows(value: object) -> Iterator[tuple[str, str]]:
    """Find the rows (name, source, kind) wherever the tables keep them."""
    if isinstance(value, tuple) and len(value) >= 3 and all(isinstance(cell, str) for cell in value[:3]):
        yield value[0], value[1]
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _rows(each)


def _of_distribution(found: Distribution) -> Part:
    metadata = found.metadata
    classifiers = [text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier") or () if "License ::" in text]
    older = [text.splitlines()[0] for text in metadata.get_all("License") or () if text.strip()]
    name = next(iter([*(metadata.get_all("License-Expression") or ()), *older, *classifiers]), "see the text")
    wanted = {Path(text).name for text in metadata.get_all("License-File") or ()}
    files = [file for file in found.files or () if file.name in wanted and ".dist-info" in str(file)]
    texts = [file.read_text(encoding="utf-8") for file in files]
    purl = f"pkg:pypi/{found.name.lower().replace('_', '-')}@{found.version}"
    return Part(found.name, found.version, purl, name, texts)


def _of_python() -> Part:
    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    version = platform.python_version()
    texts = [text.read_text(encoding="utf-8")] if text.exists() else []
    return Part("Python", version, f"pkg:generic/python@{version}", "PSF-2.0", texts)


def _of_system(library: Path) -> Part:
    """Return the system's package that a shared library came with; without a package manager, the library itself."""
    try:
        asked = ["dpkg-query", "--search", f"*/{library.name}"]
        name = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split(":")[0]
        shown = ["dpkg-query", "--show", "--showformat=${Version}\n", name]
        version = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return Part(library.name, "", f"pkg:generic/{library.name}", "see its maker", [])
    text = Path("/usr/share/doc") / name / "copyright"
    texts = [text.read_text(encoding="utf-8", errors="replace")] if text.exists() else []
    return Part(name, version, f"pkg:deb/{name}@{version}", "see the text", texts)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3])
