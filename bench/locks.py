"""Who holds which resource of this machine: kernel file locks, everything or nothing.

A lock is ``flock`` on a file of its own; the kernel drops it when the holder ends, however it ends, so a lock is never
stale. The file says who holds it (pid, user), what for and since when; that text is for the message only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import re
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from offhook.drivers.errors import Busy, ConfigError

FOLDER_VARIABLE = "OFFHOOK_LOCKS"
"""Environment variable that names another folder for the lock files (one for all who share the hardware)."""


def lock_folder() -> Path:
    """Where the lock files of this machine are, for all its users."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir()) / "offhook-locks")


@contextlib.contextmanager
def hold(resources: Iterable[str], purpose: str, folder: Path | None = None) -> Iterator[None]:
    """Hold the lock of every resource (a port, a station), or of none.

    They are taken in sorted order; a port counts under the name the kernel knows it by. Raises Busy, naming the
    holder, if any of them is held, and ConfigError if the lock files cannot be made.
    """
    place = folder or lock_folder()
    names = sorted({_kernel_name(resource) for resource in resources})
    with contextlib.ExitStack() as held:
        for name in names:
            _take(held, name, _lock_file(place, name), purpose)
        yield


def _kernel_name(resource: str) -> str:
    """Two names of one serial port (``by-id`` and ttyACM0) are one resource."""
    return os.path.realpath(resource) if resource.startswith("/") else resource


def _lock_file(place: Path, name: str) -> Path:
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")[-60:]
    return place / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.lock"


def _take(held: contextlib.ExitStack, name: str, file: Path, purpose: str) -> None:
    try:
        descriptor = _open(file)
    except OSError as error:
        hint = f"a folder you may write to, in {FOLDER_VARIABLE}"
        raise ConfigError(str(file), f"make the lock of {name}", error.strerror or str(error), hint) from error
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(name, "lock", _holder(descriptor), "wait, or end that run: it leaves everything safe") from None
    about = {"pid": os.getpid(), "user": _user(), "purpose": purpose, "since": _now()}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(about).encode() + b"\n", 0)


def _open(file: Path) -> int:
    """Open for all users; made once, never removed (removing a lock file breaks the lock)."""
    if not file.parent.is_dir():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.chmod(0o1777)
    with contextlib.suppress(FileNotFoundError):  # opening without O_CREAT works on another user's file, too
        return os.open(file, os.O_RDWR)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o666)
    return descriptor


def _holder(descriptor: int) -> str:
    try:
        about = json.loads(os.pread(descriptor, 4096, 0))
        return f"held by pid {about['pid']} ({about['user']}) for {about['purpose']} since {about['since']}"
    except (ValueError, KeyError, TypeError):
        return "held by another process"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
