"""Instruments over VISA: a meter, an oscilloscope, a signal generator.

=================  ===============================================================================
``Instrument``     what all have: ``connect`` and ``check_identity``, ``late_replies``, ``safe``, ``close``
``Meter``          DC and AC voltage, current, frequency, each as a :class:`Reading`
``Scope``          one record of one channel, as a :class:`Trace`
``Generator``      a sine or noise into the line, always limited
``VisaWires``      wires that instruments can be at: real ones, never those of simulated time
=================  ===============================================================================

pyvisa is imported when an instrument is connected, and waits on a thread of its own, so that the clock goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from offhook.drivers.safe_action import SafeAction


@dataclass(frozen=True)
class Reading:
    """One value of an instrument: its unit, the range it was read on, its expanded uncertainty (k=2), and when."""

    value: float
    unit: str
    range: float
    u: float
    time_s: float

    def __str__(self) -> str:
        return f"{self.value:.4g} {self.unit}"


@dataclass(frozen=True)
class Trace:
    """One record of an oscilloscope: volts, first sample at ``start_s`` relative to the trigger."""

    volts: NDArray[np.float64]
    step_s: float
    start_s: float
    time_s: float


class Instrument(Protocol):
    """What every instrument does."""

    @property
    def late_replies(self) -> tuple[str, ...]:
        """Replies that came after their limit and were thrown away, oldest first."""

    def connect(self) -> str:
        """Open it, compare ``*IDN?`` with the station file, clear it; returns its identity.

        Raises Unavailable (no VISA here), DeviceGone, DeviceTimeout, or DeviceRefused (another instrument answers).
        """

    def check_identity(self) -> str:
        """Ask ``*IDN?`` again, before readings that count. Raises DeviceError, DeviceRefused if another one answers."""

    def safe(self) -> None:
        """Switch off whatever it puts on the line, and read back that it is off. Raises DeviceError."""

    def close(self) -> None:
        """Let go of it."""


class Meter(Instrument, Protocol):
    """A digital multimeter. Its readings raise DeviceRefused on overload, else as :class:`Instrument`."""

    def voltage_dc(self) -> Reading:
        """V, signed."""

    def voltage_ac(self) -> Reading:
        """V RMS, without the DC part."""

    def current_dc(self) -> Reading:
        """A, signed."""

    def frequency(self) -> Reading:
        """Hz of the AC part."""


class Scope(Instrument, Protocol):
    """An oscilloscope."""

    def capture(self, channel: int, volts_per_division: float, window_s: float, points: int = 1000) -> Trace:
        """One record of a channel, ten divisions long, of about so many points. ValueError for what no scope does."""


@runtime_checkable
class Generator(Instrument, Protocol):
    """A signal generator; its output is off until asked for, and off again with :meth:`Instrument.safe`."""

    def sine(self, freq_hz: float, level_dbm: float) -> None:
        """A tone into 600 ohm. Raises NotAllowed above the limit of the station file."""

    def noise(self, level_dbm: float) -> None:
        """White noise into 600 ohm. Raises NotAllowed above the limit of the station file."""


@runtime_checkable
class GuardableOutput(Protocol):
    """A generator that its guardian can switch off after the bench has died. Optional; every driver should have it."""

    def safe_action(self) -> SafeAction | None:
        """Output off, read back, whatever was left in its line buffer; None where only VISA reaches it."""


@runtime_checkable
class VisaWires(Protocol):
    """Wires that know where an instrument is."""

    def visa(self, address: str) -> str:
        """A VISA resource name, or an address that :func:`offhook.drivers.visa.names.resource_name` turns into one."""
