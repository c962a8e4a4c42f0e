"""Teltone TLS-3B, TLS-4A and TLS-5: programmed by DTMF, ``*NN#a#b#``, from a line that is off hook.

The bench needs no cable for it but one of the box's lines, at a channel of its audio interface and a relay that closes
its loop. Source: TLS-5 user's manual 40-400-00003 Rev. E, chapter 6 and appendix B (teltone_commands.py). What the box
says to a command it takes is not in there, so a command counts as taken if dial tone stopped at its digits, and neither
reorder nor busy tone followed; where a setting can be heard (dial tone), listening to it is the proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook import dsp
from offhook.drivers.errors import DeviceRefused, DeviceTimeout
from offhook.drivers.linesim import Line
from offhook.drivers.linesim.teltone_commands import DIAL_TONES, TENTH_S, commands_of, message

DIAL_TONE, DIAL_TONE_DELAY = 69, 20
"""Commands whose setting is heard: which tone, and when it comes."""

KEY_S, GAP_S = 0.1, 0.1
LEAD_S = 0.3
ON_HOOK_S = 0.6
"""A valid on-hook time is 350 ms (TLS-3A manual)."""
TONE_LIMIT_S = 3.0
WINDOW_S = 0.5
ANSWER_S = 3.0
LEAST_DBM0 = -40.0
DIAL_TONE_HZ = (350.0, 400.0, 440.0, 480.0, 620.0)
PIECE_S = 0.02


class TeltoneLine:
    """A box at one of its lines. ``name`` is what errors call it, ``settings`` are the commands that it is set by."""

    def __init__(self, name: str, line: Line, model: str = "", settings: Sequence[tuple[int, ...]] = ()) -> None:
        self.name = name
        self._clock = line.clock
        self._port = line.port
        self._channel = line.channel
        self._hook = line.hook
        self._where = line.where
        self._model = model
        self._settings = list(settings)
        delays = [values[0] for command, *values in settings if command == DIAL_TONE_DELAY]
        self._tone_limit_s = TONE_LIMIT_S + TENTH_S * max(delays, default=0)

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], line: Line) -> TeltoneLine:
        """As the station file has it. Raises ConfigError for settings that the box does not have."""
        return cls(name, line, str(options.get("model", "")), commands_of(options))

    def connect(self) -> str:
        """See :class:`offhook.drivers.linesim.LineSimulator`: dial tone with the loop closed, none with it open."""
        self._hang_up()
        self._hear_nothing("another line in that channel?")
        for setting in self._settings:
            self.program(*setting)
        found = self._heard_dial_tone()
        self._hear_nothing("does its contact not open?")
        for value in [values[0] for command, *values in self._settings if command == DIAL_TONE][-1:]:
            if DIAL_TONES[value] != found:
                detail = f"set to {DIAL_TONES[value]} Hz, its dial tone is {found or 'none of those it can be set to'}"
                hint = f"set it from a telephone at that line, and listen: does it take *{DIAL_TONE}#{value}# there?"
                raise DeviceRefused(f"linesim.{self.name}", f"program *{DIAL_TONE}#{value}#", detail, hint)
        count = len(self._settings)
        done = f", {count} setting{'s' if count > 1 else ''} programmed" if count else ""
        heard = f"dial tone {found} Hz" if found else "a tone"
        return f"Teltone {self._model}, {heard}{done}"

    def close(self) -> None:
        """Open its loop."""
        self._hook(False)

    def _hear_nothing(self, suspect: str) -> None:
        """With its loop open its line is silent. Raises DeviceRefused."""
        self._clock.sleep(WINDOW_S)
        if self._level_dbm0(self._clock.now_s()) > LEAST_DBM0:
            hint = f"{suspect} or is a telephone lifted at that line? {self._where}"
            raise DeviceRefused(f"linesim.{self.name}", "listen", "something is heard with its loop open", hint)

    def _heard_dial_tone(self) -> str:
        """One of those it chooses from, "" for another."""
        freqs_hz, stutters = self.dial_tone()
        text = "+".join(f"{freq_hz:g}" for freq_hz in freqs_hz) + (" stutter" if stutters else "")
        return text if text in DIAL_TONES else ""

    def program(self, command: int, *values: int) -> str:
        """See :class:`offhook.drivers.linesim.LineSimulator`; the line is on hook afterwards."""
        text = message(command, *values)
        resource, operation = f"linesim.{self.name}", f"program {text}"
        try:
            self._seize(operation)
            end_s = self._send(text)
            if self._level_dbm0(end_s - len(text) * (KEY_S + GAP_S) / 2, keyed=True) > LEAST_DBM0:
                hint = f"does the output of {self._where} reach it, and loud enough?"
                raise DeviceTimeout(resource, operation, "dial tone goes on: it hears no digit", hint)
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
            if self._clock.now_s() - start_s > self._tone_limit_s:
                hint = f"is its line in that channel, and its loop at that relay? {self._where}"
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
