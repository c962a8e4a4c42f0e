"""The lamp of a phone, tried by its hook: lit when lifted, as at rest when put down; what other lamps' sensors saw."""

from __future__ import annotations

from collections.abc import Callable

from offhook.bench.lamp_signs import Sign, signs_of, watched
from offhook.bench.station import Rig
from offhook.bench.station_model import ref
from offhook.drivers.errors import DeviceRefused
from offhook.drivers.sense.lamp import Lamp

LIMIT_S = 1.0
"""A steady lamp is lit, or dark, within this."""
BLINKS_S = 6.0
"""... and a blinking one known for what it is."""


class LampCheck:
    """The light sensors of one phone, and those of the others, which must not see its lamp."""

    def __init__(self, rig: Rig, name: str) -> None:
        """Sensors whose board does not answer are passed over. Raises ConfigError for sensors on several boards."""
        model = rig.model.phone[name]
        self._name = name
        self._colours = list(model.lamp)
        self._pins = ", ".join(f"{pin} ({colour})" for colour, pin in model.lamp.items())
        self._signs = signs_of(model.lamp, model.lamps)
        self._lamps = {
            other: lamp
            for other, phone in rig.model.phone.items()
            if all(f"sense.{ref(pin).board}" in rig.connected for pin in phone.lamp.values())
            and (lamp := watched(other, phone.lamp, phone.lamps, rig.senses, rig.clock)) is not None
        }

    def look(self, lift: Callable[[bool], None]) -> tuple[str, str]:
        """(what was found, what to try: "" if all is well) at a phone that is off hook, and is so again afterwards.

        ``lift`` moves the hook and waits until the phone has taken it. Raises DeviceError.
        """
        in_use, rest = self._signs["in_use"], self._signs["rest"]
        shown = self._instead_of(in_use)
        lit = self._lit_elsewhere()
        lift(False)
        still = self._instead_of(rest)
        theirs = [name for name in lit if name not in self._lit_elsewhere()]
        lift(True)
        if shown:
            return f"lifted, its lamp shows {shown}, not {in_use}", self._why(shown, theirs)
        if still:
            hint = f"is its lamp lit on hook? else daylight, or another lamp, reaches {self._pins}"
            return f"put down, its lamp shows {still}, not {rest}", hint
        unlit = [colour for colour in self._colours if colour != in_use.colour]
        more = f"; {' and '.join(unlit)} not lit" if unlit else ""
        return f"lamp {in_use} when lifted, {rest} at rest{more}", ""

    def _why(self, shown: str, theirs: list[str]) -> str:
        if theirs:
            return f"the light sensor of {theirs[0]} saw it light: are they exchanged?"
        if shown == "dark":
            return f"is {self._pins} before the lamp of {self._name}, and does that light when it is lifted?"
        return f"are its colours exchanged? else lamps in [phone.{self._name}] are not its maker's"

    def _instead_of(self, sign: Sign) -> str:
        """What its lamp shows in place of a sign; "" if it shows that."""
        lamp = self._lamps[self._name]
        try:
            lamp.expect(sign.colour, sign.cadence if sign.colour else "on", BLINKS_S if sign.on_s else LIMIT_S)
        except DeviceRefused:
            return str(lamp.seen(LIMIT_S)).removesuffix(" on")
        return ""

    def _lit_elsewhere(self) -> list[str]:
        return [name for name, lamp in self._lamps.items() if name != self._name and _is_lit(lamp)]


def _is_lit(lamp: Lamp) -> bool:
    return bool(lamp.seen(LIMIT_S).colour)
