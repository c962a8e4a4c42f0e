"""What a result depends on but the campaign does not say: the code that made the sounds and the code that heard them.

A folder's results are used again only if neither has changed since; else a page could mix two versions of a receiver.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import importlib.util
import shutil
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from offhook import dsp
from offhook.bench.characterize import stimulus, tally

SOUND = ("encode", "tones", "codec", "impair", "rows", "noise", "path", "network", "talkoff")
LIBRARIES = (Path("/usr/lib"), Path("/usr/local/lib"), Path("/lib"))


@lru_cache(maxsize=64)
def of(receiver: str) -> str:
    """Sixteen hex digits for a receiver together with the stimulus."""
    room = Path(dsp.__file__).parent
    sound = [room / f"{name}.py" for name in SOUND] + [Path(stimulus.__file__), Path(tally.__file__)]
    return _digest([*sound, *_heard_by(receiver, room)])


def _heard_by(receiver: str, room: Path) -> list[Path]:
    kind, _, _ = receiver.partition(":")
    if kind == "offhook":
        return sorted(room.glob("*.py"))
    if kind == "multimon-ng":
        found = shutil.which(kind)
        return [Path(found)] if found else []
    if kind == "libspandsp":
        name = ctypes.util.find_library("spandsp") or ""
        return sorted(path for folder in LIBRARIES for path in (*folder.glob(name), *folder.glob(f"*/{name}")) if name)[
            :1
        ]
    spec = importlib.util.find_spec(kind)
    return [Path(spec.origin)] if spec is not None and spec.origin else []


def _digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"-")
    return total.hexdigest()[:16]
