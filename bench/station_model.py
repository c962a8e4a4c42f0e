"""What may stand in a station file, section by section.

Strict pydantic models: an unknown key, a number in quotes or a missing key is an error. Only ``[world]`` is open: it
goes to the far end as it stands. What one section says about another (does that relay exist?) is checked in
:mod:`offhook.bench.station_checks`; reading the file and naming lines is :mod:`offhook.bench.station_file`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from offhook.bench.lamp_signs import Colour, LampsModel, signs_of, unseen
from offhook.bench.station_form import (
    KEYS,
    Address,
    AllowPattern,
    Code,
    Name,
    Number,
    Prefix,
    Ref,
    RefText,
    Secret,
    Section,
    form,
    matching,
    ref,
    wrong,
)
from offhook.bench.station_linesim import LineSim
from offhook.bench.station_wires import Hook, Instrument, Keypad, Relay, Sense
from offhook.drivers.errors import ConfigError

__all__ = ["KEYS", "Hook", "Keypad", "PhoneModel", "Ref", "Relay", "Section", "Sense", "StationModel", "ref"]


REGIONS = ("US", "EU", "UK", "JP")
"""Whose tones and ringing are known: those of :data:`offhook.dsp.plans.PLANS`."""
_REGION = "|".join(REGIONS)


class Dut(Section):
    """What is under test, as page one of the report names it."""

    vendor: str
    model: str
    firmware: str
    serial: str


class World(BaseModel):
    """Who is at the far end of the ``end://`` addresses; further keys go there as they stand."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    end: Name
    faults: list[str] = []
    realtime: bool = Field(default=False, description="true where this far end only runs in real time")


class Pbx(Section):
    """The bench's own CTI session with the PBX, and how its dial plan starts."""

    driver: Name
    link: Address
    user: str = ""
    secret: Secret | None = None
    outside_prefix: Prefix = ""
    lock_prefix: Prefix = ""
    dnd_on: Prefix = Field(default="", description="what a phone dials to be left in peace (do not disturb)")
    dnd_off: Prefix = Field(default="", description="... and to be called again")
    heartbeat_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    capabilities: list[str] | None = Field(default=None, description="for a PBX that does not say what it can do")


class Tap(Section):
    """A passive tap on the cloud's own CTI link."""

    dialect: Name
    link: Address


class Cloud(Section):
    """The cloud service: its API, an administrator's token, accounts by name."""

    driver: Name
    url: Address
    admin: Secret | None = None
    accounts: dict[Name, Secret] = {}
    names: dict[Name, str] = Field(default={}, description="what the service calls an account's holder, if not so")
    foreign: Number | None = Field(default=None, description="an extension of another company, which must be refused")


class Audio(Section):
    """A sound card, or what stands for one."""

    driver: Name
    link: Address | None = None
    device: str | None = Field(default=None, min_length=1, description="a sound card by name, never by index")
    rate_hz: Annotated[int, Field(ge=8000, le=192000, multiple_of=100)]
    channels: Annotated[int, Field(ge=1, le=256)]
    host_api: str | None = Field(default=None, description="ALSA, JACK ...: where the name alone is not enough")
    card_hz: Annotated[int, Field(ge=8000, le=192000, multiple_of=100)] | None = Field(
        default=None, description="the rate the card runs at, if not 48000; the bench resamples to rate_hz itself"
    )
    latency_s: Annotated[float, Field(ge=0.005, le=0.4)] | None = Field(
        default=None, description="what the card's driver is asked to buffer; 0.06 where nothing is said"
    )
    loop: Annotated[int, Field(ge=0, le=255)] | None = Field(
        default=None, description="a channel whose output is wired to its own input: round trip and pilot"
    )


class PhoneModel(Section):
    """A telephone: its extension, and which wires go to it."""

    extension: Number
    name: str | None = Field(default=None, description="its entry in the PBX directory")
    ddi: Number | None = Field(default=None, description="its direct number, as the far end of an outside call sees it")
    kind: Literal["ip", "analog", "tdm", "soft"]
    local_code: Code | None = None
    lock: Literal["notify", "prefix", "none"] | None = Field(
        default=None, description="how this phone is locked over CTI, if not as [options] lock says"
    )
    handset: RefText
    hook: Hook
    keypad: Keypad
    ring: RefText | None = None
    hook_sense: RefText | None = None
    lamp: dict[Colour, RefText] = Field(
        default={}, description="light sensors before its line lamp, one a colour, all on one board"
    )
    lamps: LampsModel = Field(default=LampsModel(), description="what its lamp shows, as its maker has it")
    shows_lock: Literal["lamp", "tone", "display"] | None = Field(
        default=None, description="how it shows that it is locked: by its lamp if that has a sign for it, else by tone"
    )
    ring_s: Annotated[list[Annotated[float, Field(ge=0.1, le=20)]], Field(min_length=2, max_length=8)] | None = Field(
        default=None, description="seconds of ringing and pause in turn, if not those of the region"
    )
    press_ms: Annotated[int, Field(ge=20, le=5000)] = 100
    gap_ms: Annotated[int, Field(ge=20, le=5000)] = 100

    @model_validator(mode="after")
    def _its_lamp_can_be_seen(self) -> PhoneModel:
        if self.lamps != LampsModel() and not self.lamp:
            raise wrong("lamps, and no sensor sees a lamp", 'lamp = { red = "sense/11" }')
        for state, each in signs_of(self.lamp, self.lamps).items():
            if unseen(each.colour, self.lamp):
                hint = f"a colour of its lamp: {', '.join(self.lamp)}, or another sensor there"
                raise wrong(f'lamps.{state} = "{each}", and no sensor sees {each.colour}', hint)
        if self.shows_lock == "lamp" and "locked" not in signs_of(self.lamp, self.lamps):
            raise wrong('shows_lock = "lamp", and its lamp has no sign for that', 'lamps = { locked = "..." }')
        if self.ring_s is not None and len(self.ring_s) % 2:
            raise wrong("ring_s ends with a ring", "ringing and pause in turn, as in [2.0, 4.0]")
        return self


class TrunkModel(Section):
    """Outside lines: a loop-current sensor on each."""

    seized: list[RefText]


class IvrModel(Section):
    """One port of the voice service: its number, and the audio of both directions."""

    number: Number
    heard: RefText
    spoken: RefText


class LoopModel(Section):
    """A wire from an output of the bench to an input of its own: what calibration and the loopback suites use."""

    play: RefText
    hear: RefText
    meter: Name | None = Field(
        default=None, description="the dmm across its termination, which offhook calibrate --meter reads"
    )


class ContactModel(Section):
    """A relay wired to a sensor of the bench's own, for calibration."""

    contact: RefText
    sense: RefText


class Dial(Section):
    """What this station may dial; x stands for any digit."""

    allow: list[AllowPattern] = []


class GuardianModel(Section):
    """The process that makes relays safe when the bench cannot (bench/guardian.py)."""

    hung_s: Annotated[float, Field(ge=0.5, le=60)] = Field(
        default=2.0, description="a bench that holds a relay and shows no life for so long is ended"
    )


class Options(Section):
    """How the flows run here."""

    lock: Literal["notify", "prefix", "none"] = "none"
    s3: bool = True
    context: bool = True
    ddi: bool = True


class StationModel(Section):
    """A whole station file."""

    schema_version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    role: Literal["R1", "R2", "R3", "R4", "R5"]
    region: Annotated[str, form(_REGION), matching(_REGION, "a region", f"one of {', '.join(REGIONS)}")] = "US"
    dut: Dut
    world: World | None = None
    pbx: Pbx | None = None
    tap: Tap | None = None
    cloud: Cloud | None = None
    audio: dict[Name, Audio] = {}
    relay: dict[Name, Relay] = {}
    sense: dict[Name, Sense] = {}
    instrument: dict[Name, Instrument] = {}
    linesim: dict[Name, LineSim] = {}
    phone: dict[Name, PhoneModel] = {}
    trunk: dict[Name, TrunkModel] = {}
    ivr: dict[Name, IvrModel] = {}
    loop: dict[Name, LoopModel] = {}
    contact: dict[Name, ContactModel] = {}
    dial: Dial = Dial()
    guardian: GuardianModel = GuardianModel()
    options: Options = Options()

    @property
    def single(self) -> list[str]:
        """The sections that a station has once or not at all, in the order they are connected."""
        sections = {"tap": self.tap, "pbx": self.pbx, "cloud": self.cloud}
        return [name for name, section in sections.items() if section is not None]

    @property
    def outside_prefix(self) -> str:
        """What is keyed before an outside number."""
        return self.pbx.outside_prefix if self.pbx else ""

    @property
    def lock_prefix(self) -> str:
        """What locks an extension that calls it."""
        return self.pbx.lock_prefix if self.pbx else ""

    @property
    def service(self) -> Cloud:
        """The cloud service's section. Raises ConfigError if the station has none."""
        if self.cloud is None:
            raise ConfigError(f"station {self.name}", "use the cloud service", "it has no [cloud]", "add [cloud]")
        return self.cloud

    @property
    def accounts(self) -> dict[str, str]:
        """The accounts of the cloud service and their secrets."""
        return dict(self.cloud.accounts) if self.cloud else {}
