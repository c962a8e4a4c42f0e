"""Relay boards on Modbus RTU (serial line specification 1.02), by their register maps.

============  ==========================  ==================================  =================  ===================
``model``     one relay                   all at once                         read               timed by the board
============  ==========================  ==================================  =================  ===================
waveshare     05, coil 0.., FF00 / 0000   0F from coil 0                      01 from coil 0     05, 0200 + relay,
                                                                                                 tenths of a second
generic       05, coil 1.., 0100 / 0000   -                                   01 from coil 1     -
r4d8a08       06, register 1..,           06, register 0, 0800 opens all      03 from register   06, 06ss: seconds
              0100 / 0200                                                     1, 1 or 0 each
============  ==========================  ==================================  =================  ===================

Sources: Waveshare's wiki page "Modbus RTU Relay"; eletechsup's register lists of R4D8A08 and RYN408F (the map of the
N4D8B08, too); public notes on the boards that Waveshare and others sold before 2021 (``generic``). ``base`` and
``on_value`` are for boards that are nearly one of them.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offhook.drivers.relay.conversation import WrongAnswer
from offhook.drivers.relay.protocol import BoardProtocol, Command
from offhook.drivers.relay.spoken import SpokenBoard

READ_COILS, READ_REGISTERS, WRITE_COIL, WRITE_REGISTER, WRITE_COILS = 0x01, 0x03, 0x05, 0x06, 0x0F
WAVESHARE_VERSION, WAVESHARE_FLASH = 0x8000, 0x0200
LONGEST_WAVESHARE_PULSE, LONGEST_R4D8A08_PULSE = 0x7FFF, 255
EXCEPTIONS = {
    1: "it does not know that function: is model right?",
    2: "it has no such register: are model, base and channels right?",
    3: "it does not take that value: is model or on_value right?",
    4: "it failed at it",
    6: "it is busy",
}


def crc(body: bytes) -> bytes:
    """CRC-16/MODBUS (polynomial A001, from FFFF), low byte first."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def frame(unit: int, function: int, body: bytes) -> bytes:
    """A whole frame."""
    head = bytes([unit, function]) + body
    return head + crc(head)


@dataclass(frozen=True)
class Map:
    """How a model is addressed."""

    write: int
    base: int
    on_value: int
    off_value: int
    read: int
    step_s: float | None = None


MAPS = {
    "waveshare": Map(WRITE_COIL, 0, 0xFF00, 0x0000, READ_COILS, 0.1),
    "generic": Map(WRITE_COIL, 1, 0x0100, 0x0000, READ_COILS),
    "r4d8a08": Map(WRITE_REGISTER, 1, 0x0100, 0x0200, READ_REGISTERS, 1.0),
}


class ModbusProtocol(BoardProtocol):
    """One board on a bus; ``unit`` is its address there."""

    title = "Modbus relay board"
    sizes = range(1, 129)
    baud = 9600
    spacing_s = 0.004
    """3.5 characters at 9600 baud."""

    def __init__(
        self,
        channels: int,
        model: str = "waveshare",
        unit: int = 1,
        base: int | None = None,
        on_value: int | None = None,
        pulses: bool = True,
        read_back: bool = True,
    ) -> None:
        """Raises ValueError for a model or unit that there is not."""
        super().__init__(channels)
        if model not in MAPS:
            raise ValueError(f'model = "{model}", and there are {", ".join(MAPS)}')
        if not 1 <= unit <= 247:
            raise ValueError(f"unit = {unit}, and Modbus has 1 to 247")
        self.model, self.unit = model, unit
        self.reads_back = read_back
        self._map = MAPS[model]
        self._base = self._map.base if base is None else base
        self._on = self._map.on_value if on_value is None else on_value
        self.pulse_step_s = self._map.step_s if pulses else None

    def switch(self, relay: int, closed: bool) -> Command:
        """Echoed."""
        return self._write(self._map.write, self._base + relay, self._on if closed else self._map.off_value)

    def set_all(self, closed: Collection[int]) -> Sequence[Command]:
        """One command where the model has one."""
        if self.model == "waveshare":
            width = -(-self.channels // 8)
            bits = sum(1 << relay for relay in closed)
            head = struct.pack(">HH", self._base, self.channels)
            sent = frame(self.unit, WRITE_COILS, head + bytes([width]) + bits.to_bytes(width, "little"))
            return [Command(sent, frame(self.unit, WRITE_COILS, head))]
        if self.model == "r4d8a08" and not closed:
            return [self._write(WRITE_REGISTER, self._base - 1, 0x0800)]
        return super().set_all(closed)

    def queries(self) -> Sequence[bytes]:
        """All relays in one."""
        return [frame(self.unit, self._map.read, struct.pack(">HH", self._base, self.channels))]

    def states(self, query: int, answer: bytes) -> tuple[bool, ...] | None:
        """A bit a coil, or a register a relay."""
        data = self._data(self._map.read, answer, len(self._packed(())))
        if data is None:
            return None
        if self._map.read == READ_REGISTERS:
            return tuple(word != 0 for (word,) in struct.iter_unpack(">H", data))
        bits = int.from_bytes(data, "little")
        return tuple(bool(bits >> relay & 1) for relay in range(self.channels))

    def report(self, query: int, closed: Collection[int]) -> bytes:
        """The whole frame."""
        data = self._packed(closed)
        return frame(self.unit, self._map.read, bytes([len(data)]) + data)

    def identify(self) -> bytes:
        """Waveshare's boards know their version; of the others it is enough that they answer."""
        if self.model != "waveshare":
            return self.queries()[0] if self.reads_back else b""
        return frame(self.unit, READ_REGISTERS, struct.pack(">HH", WAVESHARE_VERSION, 1))

    def identity(self, answer: bytes) -> str | None:
        """Version 200 is 2.00."""
        where = f" {self.model}, unit {self.unit}"
        if self.model != "waveshare":
            return None if self.states(0, answer) is None else where
        data = self._data(READ_REGISTERS, answer, 2)
        if data is None:
            return None
        (version,) = struct.unpack(">H", data)
        return f"{where}, version {version / 100:.2f}"

    def pulse(self, relay: int, steps: int) -> Command:
        """Waveshare's "flash on" counts tenths of a second, the R4D8A08's delay seconds."""
        longest = LONGEST_WAVESHARE_PULSE if self.model == "waveshare" else LONGEST_R4D8A08_PULSE
        if not 1 <= steps <= longest:
            raise ValueError(f"it times at most {longest * (self.pulse_step_s or 0):g} s")
        if self.model == "waveshare":
            return self._write(WRITE_COIL, WAVESHARE_FLASH + self._base + relay, steps)
        return self._write(WRITE_REGISTER, self._base + relay, 0x0600 | steps)

    def complaint(self, sent: bytes, answer: bytes) -> str:
        """An exception's code in words, or what is wrong with the frame."""
        if len(answer) >= 5 and answer[1] == sent[1] | 0x80 and crc(answer[:3]) == answer[3:5]:
            return f"exception {answer[2]}: {EXCEPTIONS.get(answer[2], 'it refuses')}"
        return ""

    def _write(self, function: int, address: int, value: int) -> Command:
        sent = frame(self.unit, function, struct.pack(">HH", address, value))
        return Command(sent, sent)

    def _packed(self, closed: Collection[int]) -> bytes:
        if self._map.read == READ_REGISTERS:
            return b"".join(struct.pack(">H", relay in closed) for relay in range(self.channels))
        bits = sum(1 << relay for relay in closed)
        return bits.to_bytes(-(-self.channels // 8), "little")

    def _data(self, function: int, answer: bytes, length: int) -> bytes | None:
        """What a reading frame holds; None if more is to come. Raises WrongAnswer."""
        head = bytes([self.unit, function, length])
        if answer[1:2] == bytes([function | 0x80]) and len(answer) < 5:
            return None
        if not head.startswith(answer[:3]) and not answer.startswith(head):
            raise WrongAnswer(
                self.complaint(bytes([self.unit, function]), answer) or f"not {head.hex(' ').upper()} ..."
            )
        if len(answer) < length + 5:
            return None
        if crc(answer[: length + 3]) != answer[length + 3 : length + 5]:
            raise WrongAnswer("its checksum is wrong: noise on the bus, or two boards with one unit?")
        return answer[3 : length + 3]


class ModbusBoard(SpokenBoard):
    """One board on a serial port of its own (an RS-485 adapter)."""

    protocol_class = ModbusProtocol

    @classmethod
    def protocol_for(cls, options: Mapping[str, Any]) -> ModbusProtocol:
        """``model``, ``unit``, ``base``, ``on_value``, ``pulses``, ``read_back``, all of them optional."""
        names = ("model", "unit", "base", "on_value", "pulses", "read_back")
        return ModbusProtocol(int(options.get("channels", 8)), **{key: options[key] for key in names if key in options})
