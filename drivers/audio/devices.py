"""Sound cards by name: PortAudio's list, where an index means nothing a minute later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offhook.drivers.audio import holders

VIRTUAL_APIS = ("JACK Audio Connection Kit",)
"""Host APIs whose devices do not tell whether there is a card behind them."""


class Refused(Exception):
    """Why the engine ends; ``kind`` is busy, gone, timeout, refused or config."""

    def __init__(self, kind: str, operation: str, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.operation = operation
        self.detail = detail
        self.hint = hint


@dataclass(frozen=True)
class Card:
    """A device to capture from and one to play to (the same one on most systems), by PortAudio's indices of now."""

    name: str
    host_api: str
    input: int
    output: int

    @property
    def physical(self) -> bool:
        """True if it is known to be hardware: an ALSA device with a card number, or any device of other systems."""
        if self.host_api == "ALSA":
            return "(hw:" in self.name
        return self.host_api not in (*VIRTUAL_APIS, "OSS")


def find_device(portaudio: Any, name: str, host_api: str = "") -> Card:
    """The card of that name: the one called so, else the only one whose name has it in it. Raises Refused.

    ``portaudio`` is the module sounddevice, or what has its ``query_devices`` and ``query_hostapis``.
    """
    apis = [str(api["name"]) for api in portaudio.query_hostapis()]
    devices = [
        (index, str(device["name"]), apis[int(device["hostapi"])], device)
        for index, device in enumerate(portaudio.query_devices())
    ]
    if host_api:
        devices = [one for one in devices if host_api.casefold() in one[2].casefold()]
        if not devices:
            detail = f'host API "{host_api}" has no device (host APIs: {", ".join(apis) or "none"})'
            raise Refused("gone", "find", detail, "is that sound system running?")
    heard = _match([one for one in devices if one[3]["max_input_channels"] > 0], name, "capture")
    played = _match([one for one in devices if one[3]["max_output_channels"] > 0 and one[2] == heard[2]], name, "play")
    return Card(heard[1], heard[2], heard[0], played[0])


def _match(devices: list[tuple[int, str, str, Any]], name: str, what: str) -> tuple[int, str, str, Any]:
    names = ", ".join(dict.fromkeys(f'"{one[1]}"' for one in devices)) or "none"
    exact = [one for one in devices if one[1] == name]
    near = exact or [one for one in devices if name.casefold() in one[1].casefold()]
    if not near:
        there = f"There are: {names}"
        if held := holders.of_hardware(name):
            detail = f'"{name}" is in use by {", ".join(held)}, so it is not listed'
            raise Refused("busy", "find", detail, f"end that program (fuser -v /dev/snd/*). {there}")
        raise Refused("gone", "find", f'no device to {what} is called "{name}"', f"is it plugged in? {there}")
    if len(near) > 1:
        found = ", ".join(f'"{one[1]}" ({one[2]})' for one in near)
        raise Refused("config", "find", f'"{name}" is several devices: {found}', "more of its name, or host_api")
    return near[0]
