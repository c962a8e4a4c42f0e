"""Who has a sound card that does not open: asked of the kernel (ALSA hardware), and of a PulseAudio or PipeWire server.

ALSA hardware opens once, and PortAudio leaves a card that is in use out of its list. A sound server shares its devices,
but for a stream that passes encoded audio through to one: nobody else gets that device, and is told nothing but EIO.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path

ASOUND, PROC = Path("/proc/asound"), Path("/proc")
ASK_LIMIT_S = 1.0
_CARD = re.compile(r"^ *(\d+) \[([^\]]*)\]: (.*)$\n^ *(.*)$", re.MULTILINE)
_NAME = re.compile(r'application\.name = "([^"]*)"')
_PID = re.compile(r'application\.process\.id = "(\d+)"')


def of_hardware(name: str, asound: Path = ASOUND, proc: Path = PROC) -> list[str]:
    """Who has a PCM of an ALSA card that is called ``name``, or has it in its name; [] where nobody or not known."""
    found = []
    for number in _cards(name, asound):
        for status in sorted(asound.glob(f"card{number}/pcm*/sub*/status")):
            with contextlib.suppress(OSError):
                owner = re.search(r"^owner_pid\s*: (\d+)", status.read_text(), re.MULTILINE)
                if owner:
                    found.append(f"{_command(owner[1], proc)} (process {owner[1]})")
    return list(dict.fromkeys(found))


def _cards(name: str, asound: Path) -> list[str]:
    """Numbers of the cards that a PortAudio name, or a part of it, may mean."""
    try:
        listed = (asound / "cards").read_text(errors="replace")
    except OSError:
        return []
    wanted = name.partition(":")[0].strip().casefold()
    return [
        card[1]
        for card in _CARD.finditer(listed)
        if wanted and any(wanted in text.casefold() for text in (card[2], card[3], card[4]))
    ]


def _command(pid: str, proc: Path) -> str:
    try:
        return (proc / pid / "comm").read_text(errors="replace").strip() or "a process"
    except OSError:
        return "a process"


def of_sound_server() -> list[str]:
    """Who else has streams at the PulseAudio (or PipeWire) server of this environment; [] without one, or ``pactl``."""
    found: list[str] = []
    for kind in ("sink-inputs", "source-outputs"):
        try:
            asked = subprocess.run(
                ["pactl", "list", kind],
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=ASK_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return found
        for stream in re.split(r"\n(?=\S)", asked.stdout):
            pid, name = _PID.search(stream), _NAME.search(stream)
            if pid and int(pid[1]) != os.getpid():
                found.append(f"{name[1] if name else 'a program'} (process {pid[1]})")
    return list(dict.fromkeys(found))
