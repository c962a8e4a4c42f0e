"""A digital multimeter: the MEASure subsystem of SCPI-99 volume 3, as in Keysight's Truevolt and Keithley's 2110."""

from __future__ import annotations

from offhook.drivers.visa import Reading
from offhook.drivers.visa.scpi import ScpiInstrument

ACCURACY_PERCENT = 0.1
"""Of the range, where the station file does not say: worse than any bench meter of six digits."""
SLOW_S = 5.0
"""A reading of 20 Hz takes a meter some seconds."""


class ScpiMeter(ScpiInstrument):
    """A meter across a line, or in it. Option ``accuracy_percent`` of the range is its expanded uncertainty."""

    def voltage_dc(self) -> Reading:
        """V, signed."""
        return self._read("VOLT:DC", "V")

    def voltage_ac(self) -> Reading:
        """V RMS, without the DC part."""
        return self._read("VOLT:AC", "V")

    def current_dc(self) -> Reading:
        """A, signed."""
        return self._read("CURR:DC", "A")

    def frequency(self) -> Reading:
        """Hz of the AC part; its range is that of the voltage."""
        return self._read("FREQ", "Hz")

    def _read(self, function: str, unit: str) -> Reading:
        self.command(f"CONF:{function}")
        value = self.number("READ?", SLOW_S + float(self.options.get("timeout_s", 0)))
        time_s = self.clock.now_s()
        at = self.number("SENS:FREQ:VOLT:RANG?" if function == "FREQ" else f"SENS:{function}:RANG?")
        percent = float(self.options.get("accuracy_percent", ACCURACY_PERCENT))
        u = percent / 100 * (abs(value) if function == "FREQ" else at)
        return Reading(value, unit, at, u, time_s)
