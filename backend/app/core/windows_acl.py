"""Owner and access control list of a file on Windows, read and set through the system's API.

The API speaks SDDL, https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format: text such as
``O:BAD:P(A;;FA;;;SY)``, which is parsed here and can be tested anywhere. `_read_sddl`, `_write_dacl` and `_own_sid` are
all that needs Windows.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.core.rights import Rights

if TYPE_CHECKING:
    from pathlib import Path

_ADMINISTRATORS: Final = frozenset({"SY", "BA", "S-1-5-18", "S-1-5-32-544"})
"""SYSTEM and the group Administrators, by alias and by SID: they could do anything anyway."""
_PLACEHOLDERS: Final = frozenset({"CO", "CG", "OW", "S-1-3-0", "S-1-3-1", "S-1-3-4"})
"""Creator owner, creator group and owner rights stand for whoever the owner is."""
_READING: Final = frozenset({"FR", "FX", "GR", "GX", "RC", "CC", "SW", "WP", "LO"})
"""Rights that change nothing, by the names that SDDL has for their bits: a file's WP is the right to execute it."""
_WRITING_BITS: Final = 0x0002 | 0x0004 | 0x0010 | 0x0040 | 0x0100 | 0x00010000 | 0x00040000 | 0x00080000 | 0x50000000
"""Write, append, extended attributes, delete child, attributes, delete, DACL, owner; generic write and all."""
_ACE: Final = re.compile(r"\(([^()]*)\)")

_SE_FILE_OBJECT: Final = 1
_OWNER: Final = 0x1
_DACL: Final = 0x4
_PROTECTED_DACL: Final = 0x80000000
_TOKEN_QUERY: Final = 0x8
_TOKEN_USER: Final = 1
_SDDL_REVISION_1: Final = 1


class _Entry(NamedTuple):
    """An entry of the list that allows something."""

    rights: str
    sid: str

    @property
    def writes(self) -> bool:
        """Whether it allows a change, of content or of rights."""
        if self.rights.startswith("0x"):
            return bool(int(self.rights, 16) & _WRITING_BITS)
        return not {self.rights[index : index + 2] for index in range(0, len(self.rights), 2)} <= _READING


def rights_of(path: Path, *, is_directory: bool) -> Rights:
    """Return who can do what with a file or folder.

    A folder that inherits entries counts as open to others: what its parent allows may change at any time.

    Raises:
        OSError: the system does not tell.
    """
    return parse(_read_sddl(path), _own_sid(), is_directory=is_directory)


def restrict(path: Path) -> None:
    """Allow this user, SYSTEM and Administrators everything, others nothing, and inherit nothing; files within follow.

    Raises:
        OSError: the system refuses.
    """
    flags = "OICI" if path.is_dir() else ""
    _write_dacl(path, "D:P" + "".join(f"(A;{flags};FA;;;{sid})" for sid in (_own_sid(), "SY", "BA")))


def parse(sddl: str, own_sid: str, *, is_directory: bool) -> Rights:
    """Return what a security descriptor means for this user."""
    owner = re.match(r"O:(.+?)(?=[GDS]:|\Z)", sddl)
    dacl = re.search(r"D:([A-Z_]*)((?:\([^()]*\))*)", sddl)
    is_ours = owner is not None and owner[1] in _ADMINISTRATORS | {own_sid}
    if dacl is None or dacl[1].startswith("NO_ACCESS_CONTROL"):  # no list at all: everybody may do everything
        return Rights(is_ours=is_ours, others_write=True, others_read=True)
    others = [entry for entry in _allowing(dacl[2]) if entry.sid not in _ADMINISTRATORS | _PLACEHOLDERS | {own_sid}]
    inherits = is_directory and "P" not in dacl[1]
    return Rights(
        is_ours=is_ours,
        others_write=any(entry.writes for entry in others),
        others_read=bool(others) or inherits,
    )


def _allowing(aces: str) -> list[_Entry]:
    """Return the entries that allow something, to files within as well: those would be trusted later."""
    entries = []
    texts: list[str] = _ACE.findall(aces)
    for text in texts:
        kind, _, rights, _, _, sid, *_ = [*text.split(";"), "", "", "", "", "", ""]
        if kind in ("A", "XA", "OA"):
            entries.append(_Entry(rights, sid))
    return entries


# --- the system's part -----------------------------------------------------------------------------------------------

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    def _library(name: str, functions: dict[str, tuple[Any, list[Any]]]) -> Any:
        library = ctypes.WinDLL(name, use_last_error=True)
        for function, (result, arguments) in functions.items():
            getattr(library, function).restype = result
            getattr(library, function).argtypes = arguments
        return library

    _pointer = ctypes.POINTER(ctypes.c_void_p)
    _text = ctypes.POINTER(ctypes.c_void_p)
    _advapi = _library(
        "advapi32",
        {
            "GetNamedSecurityInfoW": (
                wintypes.DWORD,
                [wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD, *[_pointer] * 5],
            ),
            "SetNamedSecurityInfoW": (
                wintypes.DWORD,
                [wintypes.LPCWSTR, ctypes.c_int, wintypes.DWORD, *[ctypes.c_void_p] * 4],
            ),
            "ConvertSecurityDescriptorToStringSecurityDescriptorW": (
                wintypes.BOOL,
                [ctypes.c_void_p, wintypes.DWORD, wintypes.DWORD, _text, ctypes.c_void_p],
            ),
            "ConvertStringSecurityDescriptorToSecurityDescriptorW": (
                wintypes.BOOL,
                [wintypes.LPCWSTR, wintypes.DWORD, _pointer, ctypes.c_void_p],
            ),
            "GetSecurityDescriptorDacl": (
                wintypes.BOOL,
                [ctypes.c_void_p, ctypes.POINTER(wintypes.BOOL), _pointer, ctypes.POINTER(wintypes.BOOL)],
            ),
            "OpenProcessToken": (wintypes.BOOL, [wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE)]),
            "GetTokenInformation": (
                wintypes.BOOL,
                [wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.POINTER(wintypes.DWORD)],
            ),
            "ConvertSidToStringSidW": (wintypes.BOOL, [ctypes.c_void_p, _text]),
        },
    )
    _kernel = _library(
        "kernel32",
        {
            "GetCurrentProcess": (wintypes.HANDLE, []),
            "CloseHandle": (wintypes.BOOL, [wintypes.HANDLE]),
            "LocalFree": (ctypes.c_void_p, [ctypes.c_void_p]),
        },
    )

    def _checked(succeeded: int) -> None:
        if not succeeded:
            raise ctypes.WinError(ctypes.get_last_error())

    def _checked_status(status: int) -> None:
        if status:
            raise ctypes.WinError(status)

    def _taken(text: ctypes.c_void_p) -> str:
        """Return a string that the system has allocated, and free it."""
        try:
            return ctypes.wstring_at(text.value or 0)
        finally:
            _kernel.LocalFree(text)

    def _read_sddl(path: Path) -> str:
        descriptor, text = ctypes.c_void_p(), ctypes.c_void_p()
        _checked_status(
            _advapi.GetNamedSecurityInfoW(
                str(path), _SE_FILE_OBJECT, _OWNER | _DACL, None, None, None, None, ctypes.byref(descriptor)
            )
        )
        try:
            _checked(
                _advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
                    descriptor, _SDDL_REVISION_1, _OWNER | _DACL, ctypes.byref(text), None
                )
            )
        finally:
            _kernel.LocalFree(descriptor)
        return _taken(text)

    def _write_dacl(path: Path, sddl: str) -> None:
        descriptor, dacl = ctypes.c_void_p(), ctypes.c_void_p()
        present, defaulted = wintypes.BOOL(), wintypes.BOOL()
        _checked(
            _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl, _SDDL_REVISION_1, ctypes.byref(descriptor), None
            )
        )
        try:
            _checked(
                _advapi.GetSecurityDescriptorDacl(
                    descriptor, ctypes.byref(present), ctypes.byref(dacl), ctypes.byref(defaulted)
                )
            )
            _checked_status(
                _advapi.SetNamedSecurityInfoW(
                    str(path), _SE_FILE_OBJECT, _DACL | _PROTECTED_DACL, None, None, dacl, None
                )
            )
        finally:
            _kernel.LocalFree(descriptor)

    @functools.cache  # this user's, as long as the process lives
    def _own_sid() -> str:
        token, needed, text = wintypes.HANDLE(), wintypes.DWORD(), ctypes.c_void_p()
        _checked(_advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, ctypes.byref(token)))
        try:
            _advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(needed))
            user = ctypes.create_string_buffer(needed.value)
            _checked(_advapi.GetTokenInformation(token, _TOKEN_USER, user, needed, ctypes.byref(needed)))
            # TOKEN_USER begins with a pointer to the SID, which lies in the same buffer
            _checked(_advapi.ConvertSidToStringSidW(ctypes.c_void_p.from_buffer(user), ctypes.byref(text)))
        finally:
            _kernel.CloseHandle(token)
        return _taken(text)

else:  # here to be replaced in tests

    def _read_sddl(path: Path) -> str:
        raise NotImplementedError

    def _write_dacl(path: Path, sddl: str) -> None:
        raise NotImplementedError

    def _own_sid() -> str:
        raise NotImplementedError
