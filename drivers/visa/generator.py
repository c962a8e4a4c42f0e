"""A signal generator: the APPLy and OUTPut subsystems, as in Keysight's 33250A and 33500 guides."""

from __future__ import annotations

from offhook.drivers.errors import DeviceError, NotAllowed
from offhook.drivers.safe_action import SafeAction
from offhook.drivers.visa.names import is_serial, without_visa
from offhook.drivers.visa.scpi import ScpiInstrument

OHMS = 600
MARK = 173
"""No number that a session counts with: an answer that begins with it is that to the guardian's question."""
SERIAL_BAUD = 9600
"""PyVISA's, where the station file does not say."""
MOST_DBM = 0.0
"""What a line may get where the station file does not say (never more than 0 dBm by accident)."""


class ScpiGenerator(ScpiInstrument):
    """A generator into a 600 ohm line. Option ``most_dbm`` is the largest level it may send."""

    def set_up(self) -> None:
        """Off, 600 ohm, levels in dBm."""
        self.safe()
        self.command(f"OUTP1:LOAD {OHMS}", "SOUR1:VOLT:UNIT DBM")

    def sine(self, freq_hz: float, level_dbm: float) -> None:
        """A tone into 600 ohm. Raises NotAllowed above the limit of the station file."""
        self._allowed(level_dbm)
        self.command(f"SOUR1:APPL:SIN {freq_hz:.6g},{level_dbm:.4g},0", "OUTP1 ON")

    def noise(self, level_dbm: float) -> None:
        """White noise into 600 ohm. Raises NotAllowed above the limit of the station file."""
        self._allowed(level_dbm)
        self.command(f"SOUR1:APPL:NOIS DEF,{level_dbm:.4g},0", "OUTP1 ON")

    def safe(self) -> None:
        """Output off, read back. Raises DeviceError if it is not."""
        self.command("OUTP1 OFF")
        state = self.ask("OUTP1?").strip()
        if state not in ("0", "OFF"):
            raise self._refused("OUTP1 OFF", f'the output is "{state}" still', "switch it off by hand")

    def safe_action(self) -> SafeAction | None:
        """Output off, read back behind a number that was written just before (IEEE 488.2, 10.11); see visa."""
        address = without_visa(self.session.resource)
        if address is None:
            return None
        serial = is_serial(self.session.resource)
        half_a_line = b"\n" if serial else b""  # a dead bench may have left one; a connection has a buffer of its own
        sent = half_a_line + f"OUTP1 OFF\n*ESE {MARK};*ESE?;:OUTP1?;*ESE 0\n".encode("ascii")
        baud = int(self.options.get("baud") or SERIAL_BAUD)
        return SafeAction(address, sent, f"{MARK};0\n".encode("ascii"), baud=baud, locked=not serial)

    def close(self) -> None:
        """Output off, then let go of it."""
        try:
            if self.session.is_open:
                self.safe()
        except DeviceError:
            pass  # the safe state has reported it
        super().close()

    def _allowed(self, level_dbm: float) -> None:
        most_dbm = float(self.options.get("most_dbm", MOST_DBM))
        if not level_dbm <= most_dbm:
            what = f"{level_dbm:g} dBm into a line that may get {most_dbm:g} dBm"
            raise NotAllowed(f"instrument.{self.name}", "send", what, "most_dbm in the station file")
