"""VISA resource names (VPP-4.3, section 4.3) of the addresses in a station file.

=========================  ==========================================
``tcp://HOST:PORT``        ``TCPIP::HOST::PORT::SOCKET``
``hislip://HOST[:PORT]``   ``TCPIP::HOST::hislip0[,PORT]::INSTR``
``/dev/...``, ``COM3``     ``ASRL/dev/...::INSTR``, ``ASRL3::INSTR``
``USB0::...::INSTR`` ...   itself
=========================  ==========================================
"""

from __future__ import annotations

import re

from offhook.drivers.errors import ConfigError

HISLIP_PORT = 4880
"""IVI-6.1, 2.5: as registered."""
_TCP = re.compile(r"(tcp|hislip)://([^:/\s]+)(?::(\d+))?/?")


def resource_name(address: str) -> str:
    """The VISA resource name of an address. Raises ConfigError for what is none."""
    found = _TCP.fullmatch(address)
    if found and found[1] == "hislip":
        return f"TCPIP::{found[2]}::hislip0{',' + found[3] if found[3] else ''}::INSTR"
    if found and found[3]:
        return f"TCPIP::{found[2]}::{found[3]}::SOCKET"
    if address.startswith("/dev/"):
        return f"ASRL{address}::INSTR"
    if re.fullmatch(r"COM\d+", address):
        return f"ASRL{address.removeprefix('COM')}::INSTR"
    if re.fullmatch(r"[A-Z]+\d*[^:]*::.*", address):
        return address
    hint = "tcp://10.0.3.20:5025, hislip://10.0.3.20, /dev/serial/by-id/..., or TCPIP::10.0.3.20::INSTR"
    raise ConfigError(address, "open", "it is no VISA resource", hint)


def without_visa(resource: str) -> str | None:
    """Where a process without VISA finds this resource: a serial port, ``tcp://...``, ``hislip://HOST:PORT/NAME``.

    None for what only VISA speaks (USB, GPIB, VXI-11).
    """
    socket = re.fullmatch(r"TCPIP\d*::([^:]+)::(\d+)::SOCKET", resource)
    if socket:
        return f"tcp://{socket[1]}:{socket[2]}"
    hislip = re.fullmatch(r"TCPIP\d*::([^:]+)::(hislip\d+)(?:,(\d+))?::INSTR", resource)
    if hislip:
        return f"hislip://{hislip[1]}:{hislip[3] or HISLIP_PORT}/{hislip[2]}"
    serial = re.fullmatch(r"ASRL(?:(\d+)|(/.+))::INSTR", resource)
    if serial:
        return serial[2] or f"COM{serial[1]}"
    return None


def is_serial(resource: str) -> bool:
    """A serial port?"""
    return resource.startswith("ASRL")


def is_stream(resource: str) -> bool:
    """A serial line or a raw socket, where a reply ends with a line feed and not with a message of its own?"""
    return is_serial(resource) or resource.endswith("::SOCKET")
