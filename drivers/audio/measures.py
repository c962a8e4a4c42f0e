"""What a sound card says of itself: how loud its channels are, and how long the way from play to hearing is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from offhook.drivers.audio import AudioPort, Lossy, Samples
from offhook.drivers.clock import Clock

KNOWN_S = 4.0


class Level(NamedTuple):
    """How loud a channel is: RMS and peak in dB re a full-scale sine; -200 for digital silence."""

    rms_dbfs: float
    peak_dbfs: float


class RoundTrip(NamedTuple):
    """From play to hearing, in seconds, with its uncertainty (k=2); ``measured`` is False where PortAudio says so."""

    s: float
    u_s: float
    measured: bool


def lost_within(clock: Clock, port: AudioPort, start: int, stop: int) -> str:
    """What was lost of frames that have been captured, in words; "" if nothing was. Waits until that is known."""
    if not isinstance(port, Lossy):
        return ""
    if not clock.wait_for(lambda: port.lost or port.whole_until() >= stop, KNOWN_S) or port.lost:
        return port.lost or f"the pilot says nothing of frames {start} to {stop}"
    touched = [loss for loss in port.losses if loss.start < stop and (loss.stop is None or loss.stop > start)]
    return touched[0].what if touched else ""


def levels_of(samples: Samples) -> list[Level]:
    """The level of each row of ``(channels, n)``."""
    part = samples.astype(np.float64) / 32768
    rms, peak = np.sqrt(2 * np.mean(part**2, axis=1)), np.max(abs(part), axis=1)
    return [Level(_db(float(one)), _db(float(top))) for one, top in zip(rms, peak, strict=True)]


def _db(value: float) -> float:
    return 20 * float(np.log10(value)) if value > 1e-10 else -200.0
