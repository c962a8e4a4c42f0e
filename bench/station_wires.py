"""Relay boards, sensor boards, hooks and keypads, as a station file describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from offhook.bench.station_form import (
    KEYS,
    MATRIX,
    Address,
    InstrumentAddress,
    Name,
    Ref,
    RefText,
    Secret,
    Section,
    ref,
    wrong,
)

TAKES: dict[str, tuple[str, ...]] = {
    "numato": (),
    "modbus": ("model", "unit", "base", "on_value", "pulses", "read_back", "spacing_ms"),
    "devantech": ("spacing_ms",),
    "lcus": ("read_back", "spacing_ms"),
    "kmtronic": ("spacing_ms",),
    "denkovi": ("spacing_ms",),
    "hid": ("spacing_ms",),
}
"""Which of the options below each driver of ours takes; a driver from another package may take any, and ``options``."""
OPTIONAL = sorted({option for options in TAKES.values() for option in options})


class Relay(Section):
    """A relay board."""

    driver: Name
    link: Address
    channels: Annotated[int, Field(ge=1, le=512)]
    baud: Annotated[int, Field(ge=300, le=3_000_000)] | None = None
    timeout_s: Annotated[float, Field(gt=0, le=60)] | None = None
    spacing_ms: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="what the board needs between two commands, if not what its driver says"
    )
    model: Literal["waveshare", "generic", "r4d8a08"] | None = Field(
        default=None, description="modbus: the register map; waveshare where nothing is said"
    )
    unit: Annotated[int, Field(ge=1, le=247)] | None = Field(default=None, description="modbus: its address on the bus")
    base: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        default=None, description="modbus: the first relay's coil or register, if not the model's"
    )
    on_value: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="modbus: what closes a relay, if not the model's"
    )
    pulses: bool | None = Field(default=None, description="modbus: false, and the bench times every press itself")
    read_back: bool | None = Field(default=None, description="modbus, lcus: false for a board that cannot be read")
    options: dict[Name, str | int | float | bool] | None = Field(
        default=None, description="for a driver from another package"
    )

    @model_validator(mode="after")
    def _its_driver_takes_them(self) -> Relay:
        takes = TAKES.get(self.driver)
        given = [name for name in OPTIONAL if getattr(self, name) is not None]
        if takes is None:
            return self
        strange = [name for name in given if name not in takes] + (["options"] if self.options else [])
        if strange:
            what = f"the {self.driver} driver takes no {' or '.join(strange)}"
            others = " or ".join(driver for driver, names in TAKES.items() if strange[0] in names)
            raise wrong(what, f'leave it out, or driver = "{others}"' if others else "leave it out")
        return self


class Sense(Section):
    """Digital inputs: ring, hook and loop-current sensors."""

    driver: Name
    link: Address
    baud: Annotated[int, Field(ge=300, le=3_000_000)] | None = None
    pins: list[Annotated[int, Field(ge=0, le=127)]] | None = None
    pull_up: bool | None = Field(default=None, description="for contacts to ground")
    active_low: list[Annotated[int, Field(ge=0, le=127)]] | None = Field(
        default=None, description="pins that are active when low, as contacts to ground and opto-couplers make them"
    )
    debounce_ms: Annotated[int, Field(ge=0, le=500)] | None = Field(
        default=None, description="an edge counts once the level held so long; it keeps the time at which it came"
    )


INSTRUMENT_TAKES: dict[str, tuple[str, ...]] = {
    "dmm": ("accuracy_percent", "reads"),
    "scope": ("channel",),
    "generator": ("most_dbm",),
}
"""Which of the options below each of our instrument drivers takes."""


class Instrument(Section):
    """A meter, scope or generator that speaks SCPI; what it says of itself (*IDN?) must be what stands here."""

    driver: Name
    link: InstrumentAddress
    vendor: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    serial: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="of the very instrument; without it another one of its model is taken for it"
    )
    line: Name | None = Field(default=None, description="the phone at whose line its leads are")
    timeout_s: Annotated[float, Field(gt=0, le=60)] | None = None
    baud: Annotated[int, Field(ge=300, le=3_000_000)] | None = None
    accuracy_percent: Annotated[float, Field(gt=0, le=10)] | None = Field(
        default=None, description="dmm: expanded uncertainty in percent of the range; 0.1 where nothing is said"
    )
    reads: Annotated[list[Literal["voltage", "current"]], Field(min_length=1)] | None = Field(
        default=None,
        description="dmm: what its leads are wired for, across the line or in the loop; voltage where nothing is said",
    )
    channel: Annotated[int, Field(ge=1, le=8)] | None = Field(
        default=None, description="scope: the channel whose probe is at the line; 1 where nothing is said"
    )
    most_dbm: Annotated[float, Field(ge=-60, le=10)] | None = Field(
        default=None, description="generator: the most it may send into 600 ohm; 0 where nothing is said"
    )

    @model_validator(mode="after")
    def _its_driver_takes_them(self) -> Instrument:
        takes = INSTRUMENT_TAKES.get(self.driver)
        if takes is None:
            return self
        for driver, names in INSTRUMENT_TAKES.items():
            for name in names:
                if name not in takes and getattr(self, name) is not None:
                    raise wrong(f"the {self.driver} driver takes no {name}", f'leave it out, or driver = "{driver}"')
        return self


class Hook(Section):
    """The hook contact: what a closed contact does, and which position is safe."""

    contact: RefText
    closed: Literal["off-hook", "on-hook"]
    safe: Literal["open", "closed"]

    @model_validator(mode="after")
    def _safe_is_on_hook(self) -> Hook:
        if (self.closed == "off-hook") != (self.safe == "open"):
            raise wrong(
                f'safe = "{self.safe}" would leave the phone off-hook, since a closed contact is {self.closed}',
                f'safe = "{"open" if self.closed == "off-hook" else "closed"}"',
            )
        return self


class Keypad(Section):
    """Row and column contacts (4 rows, 3 or 4 columns), one contact a key, or a driver that needs no relays."""

    rows: list[RefText] = []
    columns: list[RefText] = []
    keys: dict[str, RefText] = {}
    driver: Name | None = Field(default=None, description="http or operator, for a keypad that is not made of relays")
    url: Address | None = Field(default=None, description="http: the phone's web server, as in http://10.0.3.51")
    path: str | None = Field(default=None, description="http: what presses a key, if not /servlet?key={key}")
    names: dict[str, str] | None = Field(default=None, description="http: what the phone calls keys, as in # = POUND")
    user: str | None = None
    secret: Secret | None = None
    timeout_s: Annotated[float, Field(gt=0, le=10)] | None = None
    patience_s: Annotated[float, Field(gt=0, le=600)] | None = Field(
        default=None, description="operator: how long a person has for one key"
    )

    @model_validator(mode="after")
    def _every_key_is_reachable(self) -> Keypad:
        contacts = bool(self.rows or self.columns or self.keys)
        if self.driver is not None:
            self._driven(contacts)
        elif self.keys and (self.rows or self.columns):
            raise wrong("has both keys and rows/columns", "one contact a key, or a matrix, not both")
        elif self.keys:
            missing = [key for key in KEYS if key not in self.keys]
            strange = [key for key in self.keys if key not in KEYS + "ABCD"]
            if missing or strange:
                names = "no contact for " + " ".join(missing) if missing else "no such key: " + " ".join(strange)
                raise wrong(names, "one contact for each of " + " ".join(KEYS), "keys")
        elif len(self.rows) != 4 or len(self.columns) not in (3, 4):
            found = f"{len(self.rows)} rows and {len(self.columns)} columns do not reach every key"
            raise wrong(found, "4 rows and 3 columns (4 for A to D)", "keys")
        return self

    def _driven(self, contacts: bool) -> None:
        if contacts:
            raise wrong(f'has relay contacts and driver = "{self.driver}"', "one or the other")
        if self.driver == "http" and self.url is None:
            raise wrong("the http driver needs a url", 'url = "http://10.0.3.51", the phone\'s own web server')
        if self.driver == "operator" and (self.url or self.secret):
            raise wrong("the operator driver takes no url or secret", 'driver = "http"')

    def contacts(self, key: str) -> tuple[Ref, ...]:
        """The contacts that press a key: one, row and column, or none of a driver's. Raises KeyError for others."""
        if self.driver is not None:
            return ()
        if self.keys:
            return (ref(self.keys[key]),)
        for row, keys in enumerate(MATRIX):
            column = keys.find(key)
            if 0 <= column < len(self.columns):
                return ref(self.rows[row]), ref(self.columns[column])
        raise KeyError(key)

    def all_contacts(self) -> list[str]:
        """Every contact, as written."""
        return [*self.rows, *self.columns, *self.keys.values()]
