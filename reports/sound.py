"""The audio of a run: one wire's samples between two times, and a clip of it as a data address."""

from __future__ import annotations

import base64
import struct

import numpy as np
from numpy.typing import NDArray

from offhook.dsp.codec import ulaw_encode
from offhook.reports.folder import Run

Samples = NDArray[np.int16]
_MU_LAW = 7  # WAVE_FORMAT_MULAW


def wires_between(run: Run, from_s: float, to_s: float) -> list[str]:
    """Wires with a recording in that time; handsets before IVR legs, then by name."""
    found = {item.wire for item in run.clips if item.start_s < to_s and item.end_s > from_s}
    return sorted(found, key=lambda wire: (wire.startswith("ivr"), wire))


def between(run: Run, wire: str, from_s: float, to_s: float) -> tuple[Samples, int]:
    """Samples of one wire between two times of the common clock, and their rate; silence where nothing is recorded.

    A file that is gone or cannot be read counts as silence here; the judgements that need it say so.
    """
    clips = run.evidence.clips(wire, from_s, to_s)
    rate_hz = clips[0].rate_hz if clips else 8000
    out: Samples = np.zeros(max(0, round((to_s - from_s) * rate_hz)), dtype=np.int16)
    for item in clips:
        try:
            samples, start_s = run.evidence.samples(item, from_s, to_s)
        except (OSError, ValueError):
            continue
        _paste(out, samples, round((start_s - from_s) * rate_hz))
    for silent_from_s, silent_to_s in run.silenced.get(wire, []):
        first, last = (max(0, round((at - from_s) * rate_hz)) for at in (silent_from_s, silent_to_s))
        out[first:last] = 0
    return out, rate_hz


def where(run: Run, wire: str, time_s: float) -> tuple[str, float] | None:
    """The file that holds a wire's audio at a time, and the offset in it in seconds; None if nothing does."""
    for item in run.clips:
        if item.wire == wire and item.start_s <= time_s < item.end_s:
            return item.file, time_s - item.start_s
    return None


def playable(samples: Samples, rate_hz: int) -> str:
    """A mu-law WAV (ITU-T G.711) of some samples as a ``data:`` address that browsers play."""
    body = ulaw_encode(samples).tobytes()
    body += b"\0" * (len(body) % 2)
    layout = struct.pack("<HHIIHHH", _MU_LAW, 1, rate_hz, rate_hz, 1, 8, 0)
    chunks = b"fmt " + struct.pack("<I", len(layout)) + layout
    chunks += b"fact" + struct.pack("<II", 4, len(samples)) + b"data" + struct.pack("<I", len(samples)) + body
    return (
        "data:audio/wav;base64,"
        + base64.b64encode(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks).decode()
    )


def _paste(out: Samples, samples: Samples, at: int) -> None:
    skip, keep = max(0, -at), min(len(samples), len(out) - at)
    if keep > skip:
        out[at + skip : at + keep] = samples[skip:keep]
