"""HID feature reports through Linux' ``/dev/hidraw*``, and a link that carries them.

A message on the link is a request as the host makes it (HID 1.11, 7.2): ``09`` and a report is SET_REPORT, ``01`` is
GET_REPORT, and what comes back is the report. Reports have no number of their own (report id 0).

Addresses: ``/dev/hidraw3``, or ``hid://16c0:05df`` and ``hid://16c0:05df/LETTERS`` for a board whose feature report
begins with these letters; the numbers of hidraw devices change with every start.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offhook.drivers.clock import Clock
from offhook.drivers.errors import DeviceGone
from offhook.drivers.links import OnBytes, OnLost

SET_REPORT, GET_REPORT = 0x09, 0x01
REPORT = 8
"""Bytes of the feature report, without its number."""
PREFIX = "hid://"
HIDRAW = "/dev/hidraw"
SYS = Path("/sys/class/hidraw")
Ioctl = Callable[[int, int, bytearray], Any]


def request(number: int, length: int) -> int:
    """The ioctl ``_IOC(READ | WRITE, "H", number, length)``: 06 sends a feature report, 07 fetches one."""
    return 3 << 30 | length << 16 | ord("H") << 8 | number


class HidDevice:
    """One opened hidraw device. Everything raises OSError when it is gone."""

    def __init__(self, path: str, ioctl: Ioctl = fcntl.ioctl) -> None:
        self.path = path
        self._ioctl = ioctl
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def send(self, message: bytes) -> bytes:
        """Carry out a request; what it answers (b"" for SET_REPORT)."""
        if message[0] == SET_REPORT:
            self._ioctl(self._file, request(0x06, REPORT + 1), bytearray(b"\0" + message[1 : REPORT + 1]))
            return b""
        report = bytearray(REPORT + 1)
        self._ioctl(self._file, request(0x07, REPORT + 1), report)
        return bytes(report[1:])

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)


def is_hid(address: str) -> bool:
    """Is it an address of this kind?"""
    return address.startswith((PREFIX, HIDRAW))


def open_hid(address: str, ioctl: Ioctl = fcntl.ioctl, sys: Path = SYS, dev: str = "/dev") -> HidDevice:
    """Open a device by its address. Raises OSError, saying what was found instead, if it is not there."""
    if not address.startswith(PREFIX):
        return HidDevice(address, ioctl)
    found = re.fullmatch(r"hid://([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?:/(.+))?", address)
    if found is None:
        raise OSError(f"{address} is not hid://VENDOR:PRODUCT/LETTERS, as in hid://16c0:05df/BITFT")
    vendor, product, letters = found[1], found[2], (found[3] or "").encode()
    others: list[str] = []
    for path in _paths(sys, dev, f"0003:0000{vendor}:0000{product}".upper()):
        device = HidDevice(path, ioctl)
        try:
            said = device.send(bytes([GET_REPORT]))
        except OSError:
            device.close()
            raise
        if said.startswith(letters):
            return device
        device.close()
        others.append(said[:5].decode("ascii", "replace"))
    raise OSError(f"no such device; there are {', '.join(others)}" if others else "no such device is plugged in")


def _paths(sys: Path, dev: str, hid_id: str) -> list[str]:
    """Devices of that vendor and product, by the kernel's list."""
    found = []
    for entry in sorted(sys.glob("hidraw*")):
        text = (entry / "device" / "uevent").read_text("ascii", "replace").upper()
        if f"HID_ID={hid_id}" in text:
            found.append(f"{dev}/{entry.name}")
    return found


class HidLink:
    """A hidraw device behind the Link protocol. Raises DeviceGone when it cannot be opened."""

    def __init__(self, clock: Clock, address: str, opened: Callable[[str], HidDevice] = open_hid) -> None:
        self.address = address
        self._clock = clock
        self._on_bytes: OnBytes | None = None
        try:
            self._device: HidDevice | None = opened(address)
        except OSError as error:
            hint = "is it plugged in, and may you use it? (a udev rule for 16c0:05df, see docs/wiring.md)"
            raise DeviceGone(address, "open", str(error), hint) from error

    def attach(self, on_bytes: OnBytes, on_lost: OnLost) -> None:
        """Name who takes reports; a device that is gone says so when it is asked."""
        self._on_bytes = on_bytes

    def send(self, data: bytes) -> None:
        """Carry out one request; its report, if it has one, comes back over the clock."""
        if self._device is None:
            raise DeviceGone(self.address, "send", "closed by the bench", "")
        try:
            answer = self._device.send(data)
        except OSError as error:
            raise DeviceGone(self.address, "send", str(error), "check the cable") from error
        if answer:
            self._clock.post(lambda: self._deliver(answer))

    def close(self) -> None:
        """Let go of the device."""
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _deliver(self, answer: bytes) -> None:
        if self._device is not None and self._on_bytes is not None:
            self._on_bytes(answer)
