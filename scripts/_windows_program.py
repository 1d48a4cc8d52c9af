"""What Windows reads in the built program: a version resource, and a manifest.

The manifest is PyInstaller's own, and says besides that the program's narrow strings are UTF-8 (which paths of
certificates reach libpq as) and that paths may be longer than 260 characters. It stays a console program: a terminal
sees what it prints, and whoever starts it with `windowsHide` or `CREATE_NO_WINDOW`, as the Electron bridge does, gets
no window.
"""

from pathlib import Path

NAME = "taskflow-sidecar"

_VERSION = """\
VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0x0, OS=0x40004, fileType=0x1, subtype=0x0,
    date=(0, 0)),
  kids=[
    StringFileInfo([StringTable("040904B0", [
      StringStruct("CompanyName", "TaskFlow"),
      StringStruct("FileDescription", "TaskFlow sidecar"),
      StringStruct("FileVersion", "{version}"),
      StringStruct("InternalName", "{name}"),
      StringStruct("LegalCopyright", "MIT License"),
      StringStruct("OriginalFilename", "{name}.exe"),
      StringStruct("ProductName", "TaskFlow sidecar"),
      StringStruct("ProductVersion", "{version}")])]),
    VarFileInfo([VarStruct("Translation", [0x0409, 1200])])
  ]
)
"""
_SETTINGS = "http://schemas.microsoft.com/SMI"
_MANIFEST = f"""\
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3"><security><requestedPrivileges>
    <requestedExecutionLevel level="asInvoker" uiAccess="false"/>
  </requestedPrivileges></security></trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1"><application>
    <supportedOS Id="{{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}}"/>
  </application></compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3"><windowsSettings>
    <longPathAware xmlns="{_SETTINGS}/2016/WindowsSettings">true</longPathAware>
    <activeCodePage xmlns="{_SETTINGS}/2019/WindowsSettings">UTF-8</activeCodePage>
  </windowsSettings></application>
</assembly>
"""


def write_resources(folder: Path, version: str) -> list[str]:
    """Write both into `folder`; return the arguments that tell PyInstaller of them."""
    numbers = (*(int(part) for part in version.split(".")[:3]), 0)
    version_file, manifest_file = folder / "version.txt", folder / f"{NAME}.manifest"
    version_file.write_text(_VERSION.format(name=NAME, numbers=numbers, version=version), encoding="utf-8")
    manifest_file.write_text(_MANIFEST, encoding="utf-8")
    return [f"--version-file={version_file}", f"--manifest={manifest_file}"]
