"""Who may write into a run folder: the process that records the run, or, once it is at rest, those that report on it.

The claim is a lock of the kernel's on the folder, which drops it when its holder ends, however it ends. A recorder has
it alone; any number of reports share it, as each makes the same files of the same folder.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offhook.drivers.errors import Busy, ConfigError

LOOK_S = 2.0
"""A recorder waits so long for those that only look whether a run is being recorded."""


def claimed(folder: Path) -> int:
    """Claim a run folder for recording, as long as the descriptor returned is open. Raises Busy if it is in use."""
    descriptor = _opened(folder)
    until_s = time.monotonic() + LOOK_S
    try:
        while not _locked(descriptor, fcntl.LOCK_EX):
            if not _locked(descriptor, fcntl.LOCK_SH):
                raise Busy(str(folder), "record in it", "this run is still going on", "wait for it, or stop it")
            if time.monotonic() > until_s:
                raise Busy(str(folder), "record in it", "its reports are being written", "wait for them")
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(0.01)
    except Busy:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def at_rest(folder: Path) -> Iterator[None]:
    """Keep a run from being recorded, or gone on with, while what is made of it is written into its folder.

    Raises Busy if it is being recorded now.
    """
    descriptor = _opened(folder)
    try:
        if not _locked(descriptor, fcntl.LOCK_SH):
            hint = "wait for its end: it then writes its reports itself"
            raise Busy(str(folder), "report on it", "this run is being recorded now", hint)
        yield
    finally:
        os.close(descriptor)


def being_recorded(folder: Path) -> bool:
    """True if some process records into a run folder now."""
    descriptor = _opened(folder)
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(str(folder), "open", error.strerror or str(error), "name a folder under runs/") from None


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
