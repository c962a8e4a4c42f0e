"""What a phone's lamp shows in each of its states, as its maker has it: ``lamps`` of ``[phone.NAME]``.

A sign is ``"red"`` (steady), ``"red flash"`` (a cadence by its name), ``"red 0.3/0.7"`` (seconds lit and dark) or
``"dark"``. What a file does not say is :func:`defaults`: makers differ, and these are merely common.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Literal, NamedTuple

from offhook.bench.station_form import RefText, Section, form, matching, ref
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError
from offhook.drivers.sense import SenseInputs
from offhook.drivers.sense.cadence import LAMPS
from offhook.drivers.sense.lamp import MIXED, Lamp

Colour = Literal["red", "green", "blue", "amber", "white"]
_TIMES = r"(\d{1,2}(?:\.\d{1,3})?)/(\d{1,2}(?:\.\d{1,3})?)"
_SIGN = rf"dark|(?:red|green|blue|amber|white)(?: (?:on|{'|'.join(LAMPS)}|{_TIMES}))?"
SignText = Annotated[
    str,
    form(_SIGN),
    matching(_SIGN, "what a lamp shows", f'"dark", "red", "red flash" ({", ".join(LAMPS)}), "red 0.3/0.7" (seconds)'),
]


class Sign(NamedTuple):
    """``colour`` is "" for a dark lamp, ``cadence`` "on", a name, or as written; seconds are 0 where it is steady."""

    colour: str
    cadence: str = "on"
    on_s: float = 0.0
    off_s: float = 0.0

    @property
    def period_s(self) -> float:
        """Of its blinking."""
        return self.on_s + self.off_s

    def __str__(self) -> str:
        if not self.colour:
            return "dark"
        return self.colour if self.cadence == "on" else f"{self.colour} {self.cadence}"


class LampsModel(Section):
    """A maker's lamp profile: what the lamp shows in each state; what is left out is as in docs/stations.md."""

    rest: SignText | None = None
    ringing: SignText | None = None
    in_use: SignText | None = None
    locked: SignText | None = None


def sign(text: str) -> Sign:
    """A sign as the file writes it."""
    if text == "dark":
        return Sign("", "off")
    colour, _, cadence = text.partition(" ")
    times = re.fullmatch(_TIMES, cadence)
    if times is not None:
        return Sign(colour, cadence, float(times[1]), float(times[2]))
    return Sign(colour, cadence or "on", *LAMPS.get(cadence, (0.0, 0.0)))


def signs_of(lamp: Collection[str], profile: LampsModel) -> dict[str, Sign]:
    """The sign of each state, of a phone with sensors of these colours; no sign for what the lamp does not show."""
    written = defaults(list(lamp)) | profile.model_dump(exclude_none=True) if lamp else {}
    return {state: sign(text) for state, text in written.items()}


def defaults(colours: list[str]) -> dict[str, str]:
    """The first colour for the line; the lock in the second one, if there is one."""
    first = colours[0]
    found = {"rest": "dark", "ringing": f"{first} flash", "in_use": first}
    return found | ({"locked": f"{colours[1]} slow wink"} if len(colours) > 1 else {})


def unseen(colour: str, lamp: Collection[str]) -> bool:
    """True for a colour that no sensor, nor two of them together, would see."""
    mixed = [MIXED[made] for made in MIXED if made <= set(lamp)]
    return bool(colour) and colour not in (*lamp, *mixed)


def watched(
    name: str, pins: Mapping[Colour, RefText], profile: LampsModel, senses: Mapping[str, SenseInputs], clock: Clock
) -> Lamp | None:
    """The lamp of a phone, behind its sensors; None if it has none. Raises ConfigError for sensors on two boards."""
    places = {str(colour): ref(pin) for colour, pin in pins.items()}
    boards = sorted({pin.board for pin in places.values()})
    if not places:
        return None
    if len(boards) > 1:
        detail = f"its sensors are on {' and '.join(boards)}"
        raise ConfigError(f"phone.{name}.lamp", "watch", detail, "all colours of a lamp on one board")
    own = {each.cadence: (each.on_s, each.off_s) for each in signs_of(pins, profile).values() if each.on_s}
    numbers = {colour: pin.number for colour, pin in places.items()}
    return Lamp(name, clock, senses[boards[0]], numbers, own | LAMPS)
