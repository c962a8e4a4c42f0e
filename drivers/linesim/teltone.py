"""Teltone TLS-3B, TLS-4A and TLS-5: programmed by DTMF, ``*NN#a#b#``, from a line that is off hook.

The bench needs no cable for it but one of the box's lines, at a channel of its audio interface and a relay that closes
its loop. Source: TLS-5 user's manual 40-400-00003 Rev. E, chapter 6 and appendix B. What the box says to a command it
takes is not in there, so a command counts as taken if dial tone stopped at its digits, and neither reorder nor busy
tone followed; where a setting can be heard (dial tone), listening to it is the proof.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from offhook import dsp
from offhook.drivers.audio import AudioPort
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceRefused, DeviceTimeout

COMMANDS: dict[int, tuple[str, tuple[int, ...]]] = {
    20: ("dial tone delay, 0.1 s", (511,)),
    21: ("network response delay, 0.1 s", (511,)),
    22: ("second dial tone delay, 0.1 s", (255,)),
    23: ("ring cadence of the second number, on and off in 0.1 s", (30, 63, 30, 63, 30, 63)),
    30: ("response to busy", (1,)),
    31: ("response to an invalid number", (4,)),
    32: ("off-hook mode", (2,)),
    33: ("audio port permission", (1,)),
    34: ("flash detect", (1,)),
    35: ("hunt mode", (3,)),
    36: ("attenuation", (1,)),
    38: ("forced disconnect", (1,)),
    39: ("tone following disconnect", (4,)),
    50: ("caller ID type", (2,)),
    69: ("dial tone", (5,)),
    71: ("audible message waiting", (2,)),
    72: ("message waiting format", (2,)),
    73: ("conference type", (1,)),
}
"""Number of a command: what it sets, and the largest value of each of its parameters; the smallest is 0."""
LEAST = {72: 1}
FEWER = (23,)
"""Parameters may be left out from the end."""
PREFIXES = {"private": "*67", "out-of-area": "*87", "checksum-error": "*88"}
"""Keyed before a number: what its caller ID then is."""

KEY_S, GAP_S = 0.1, 0.1
LEAD_S = 0.3
ON_HOOK_S = 0.6
"""A valid on-hook time is 350 ms (TLS-3A manual)."""
TONE_LIMIT_S = 3.0
WINDOW_S = 0.5
ANSWER_S = 3.0
LEAST_DBM0 = -40.0
DIAL_TONE_HZ = (350.0, 400.0, 440.0, 480.0, 620.0)
"""What command 69 chooses from."""
PIECE_S = 0.02


class TeltoneLine:
    """A box at one of its lines.

    ``channel`` of ``port`` is both directions of that line, ``hook(off_hook)`` closes its loop. ``name`` is what
    errors call it.
    """

    def __init__(self, name: str, clock: Clock, port: AudioPort, channel: int, hook: Callable[[bool], None]) -> None:
        self.name = name
        self._clock = clock
        self._port = port
        self._channel = channel
        self._hook = hook

    def program(self, command: int, *values: int) -> str:
        """See :class:`offhook.drivers.linesim.LineSimulator`; the line is on hook afterwards."""
        text = message(command, *values)
        resource, operation = f"linesim.{self.name}", f"program {text}"
        try:
            self._seize(operation)
            end_s = self._send(text)
            if self._level_dbm0(end_s - len(text) * (KEY_S + GAP_S) / 2, keyed=True) > LEAST_DBM0:
                raise DeviceTimeout(resource, operation, "dial tone goes on: it hears no digit", "is its level right?")
            self._clock.wait_until(end_s + ANSWER_S)
            heard = {tone.name for tone in self._tones(end_s, end_s + ANSWER_S)}
            if heard & {"reorder", "busy"}:
                detail = f"it answers with {' and '.join(sorted(heard))} tone"
                raise DeviceRefused(resource, operation, detail, "does this model have that command?")
        finally:
            self._hang_up()
        return text

    def dial_tone(self) -> tuple[tuple[float, ...], bool]:
        """(frequencies in Hz, does it stutter) of the dial tone that the line gives now. Raises DeviceTimeout."""
        try:
            start_s = self._seize("listen to dial tone")
            self._clock.sleep(2.0)
            samples = self._heard(start_s + 1.0, self._clock.now_s()).astype(np.float64)
        finally:
            self._hang_up()
        rate_hz = self._port.rate_hz
        turns = np.outer(DIAL_TONE_HZ, np.arange(samples.size)) / rate_hz
        amplitudes = np.abs(np.exp(-2j * np.pi * turns) @ (samples * np.hanning(samples.size)))
        loud = amplitudes > amplitudes.max() / 4
        length = round(PIECE_S * rate_hz)
        power = (samples[: samples.size // length * length].reshape(-1, length) ** 2).mean(axis=1)
        silent = float(np.mean(power < power.max() / 100))
        return tuple(freq for freq, on in zip(DIAL_TONE_HZ, loud, strict=True) if on), silent > 0.2

    def _seize(self, operation: str) -> float:
        self._hook(False)
        self._clock.sleep(ON_HOOK_S)
        self._hook(True)
        start_s = self._clock.now_s()
        self._clock.sleep(WINDOW_S)
        while self._level_dbm0(self._clock.now_s()) < LEAST_DBM0:
            if self._clock.now_s() - start_s > TONE_LIMIT_S:
                hint = "is its line in that channel, and its loop at that relay?"
                raise DeviceTimeout(f"linesim.{self.name}", operation, "off hook, and no dial tone comes", hint)
            self._clock.sleep(WINDOW_S / 5)
        return start_s

    def _hang_up(self) -> None:
        self._hook(False)
        self._clock.sleep(ON_HOOK_S)

    def _send(self, text: str) -> float:
        """Key it on the line; returns when its last digit is over."""
        rate_hz = self._port.rate_hz
        digits = dsp.to_int16(dsp.encode(text, rate_hz, on_s=KEY_S, off_s=GAP_S))
        start_s = self._clock.now_s() + LEAD_S
        self._port.play_at(self._port.frame_at(start_s), self._channel, digits)
        end_s = start_s + digits.size / rate_hz
        self._clock.wait_until(end_s + LEAD_S)
        return end_s

    def _heard(self, from_s: float, to_s: float) -> NDArray[np.int16]:
        port = self._port
        start, stop = max(0, port.frame_at(from_s)), max(0, min(port.frame_at(to_s), port.now_frame()))
        heard: NDArray[np.int16] = port.take(min(start, stop), stop)[self._channel]
        return heard

    def _tones(self, from_s: float, to_s: float) -> list[dsp.progress.Segment]:
        return dsp.progress.classify(self._heard(from_s, to_s), self._port.rate_hz, "US")

    def _level_dbm0(self, until_s: float, *, keyed: bool = False) -> float:
        """What the line sends up to a time. Between two keyed digits: the quietest 40 ms, as our own are heard, too."""
        samples = self._heard(until_s - WINDOW_S, until_s).astype(np.float64) / 32768
        if not samples.size:
            return -np.inf
        if not keyed:
            return float(dsp.dbm0(np.mean(samples**2)))
        length = round(0.04 * self._port.rate_hz)
        pieces = samples[: samples.size // length * length].reshape(-1, length)
        return float(dsp.dbm0(np.mean(pieces**2, axis=1).min(initial=np.inf)))


def message(command: int, *values: int) -> str:
    """What is keyed for a command: ``*23#30#30#``. Raises ConfigError for what the manual does not have."""
    if command not in COMMANDS:
        known = ", ".join(map(str, COMMANDS))
        raise ConfigError(f"*{command}#", "program", "no such command of a TLS-3B, TLS-4A or TLS-5", f"one of {known}")
    what, most = COMMANDS[command]
    least = LEAST.get(command, 0)
    enough = 1 <= len(values) <= len(most) if command in FEWER else len(values) == len(most)
    if not enough or any(not least <= value <= top for value, top in zip(values, most, strict=False)):
        ranges = ", ".join(f"{least} to {top}" for top in most)
        raise ConfigError(f"*{command}#", "program", f"{what}: {', '.join(map(str, values)) or 'no value'}", ranges)
    return f"*{command}#" + "".join(f"{value}#" for value in values)
