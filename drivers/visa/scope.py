"""An oscilloscope: root-level commands as in Keysight's InfiniiVision guides (:CHANnel, :TIMebase, :WAVeform)."""

from __future__ import annotations

import numpy as np

from offhook.drivers.visa import Trace
from offhook.drivers.visa.scpi import ScpiInstrument

DIVISIONS = 10


class ScpiScope(ScpiInstrument):
    """A scope whose probe is at a line."""

    def capture(self, channel: int, volts_per_division: float, window_s: float, points: int = 1000) -> Trace:
        """One record of a channel, ten divisions long, from now on. Raises ValueError for what no scope does."""
        if channel < 1 or not volts_per_division > 0 or not 0 < window_s <= 100 or not 100 <= points <= 8000:
            raise ValueError(f"channel {channel}, {volts_per_division} V a division, {window_s} s: no such record")
        self.command(
            f":CHAN{channel}:DISP ON",
            f":CHAN{channel}:SCAL {volts_per_division:.6g}",
            f":TIM:SCAL {window_s / DIVISIONS:.6g}",
            f":WAV:SOUR CHAN{channel}",
            f":WAV:POIN {points}",
            ":WAV:FORM WORD",
            ":WAV:BYT MSBF",
            ":WAV:UNS OFF",
        )
        self.session.write(":SING")
        timeout_s = float(self.options.get("timeout_s", 3.0))
        self.ask("*OPC?", window_s + timeout_s)
        time_s = self.clock.now_s()
        preamble = [float(field) for field in self.ask(":WAV:PRE?").split(",")]
        if len(preamble) != 10:
            raise self._refused(":WAV:PRE?", f"{len(preamble)} fields, not 10", "is it a scope of this family?")
        step_s, start_s, _, scale, origin, reference = preamble[4:]
        raw = self.session.block(":WAV:DATA?").astype(np.float64)
        return Trace((raw - reference) * scale + origin, step_s, start_s, time_s)
