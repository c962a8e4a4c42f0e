"""What may stand in a station file, section by section.

Strict pydantic models: an unknown key, a number in quotes or a missing key is an error. Only ``[world]`` is open: it
goes to the far end as it stands. What one section says about another (does that relay exist?) is checked in
:mod:`offhook.bench.station_checks`; reading the file and naming lines is :mod:`offhook.bench.station_file`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from offhook.drivers.errors import ConfigError

KEYS = "123456789*0#"
MATRIX = ("123A", "456B", "789C", "*0#D")
"""Keys of a 4 x 4 keypad by row and column (ITU-T Q.23); phones lack the fourth column."""


class Ref(NamedTuple):
    """One contact, pin or channel: ``keys1/4`` is number 4 of the board called keys1."""

    board: str
    number: int

    def __str__(self) -> str:
        return f"{self.board}/{self.number}"


def ref(text: str) -> Ref:
    """Split ``board/number``; the model has checked the form."""
    board, _, number = text.rpartition("/")
    return Ref(board, int(number))


def _wrong(what: str, hint: str, kind: str = "form") -> PydanticCustomError:
    return PydanticCustomError("offhook_" + kind, "{what}", {"what": what, "hint": hint})


def _matching(pattern: str, what: str, hint: str) -> Any:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise _wrong(f'"{text}" is not {what}', hint)
        return text

    return AfterValidator(check)


def _form(pattern: str) -> Any:
    return Field(json_schema_extra={"pattern": f"^(?:{pattern})$"})


_NAME, _REF, _NUMBER = r"[A-Za-z0-9][A-Za-z0-9_.-]*", r"[A-Za-z0-9][A-Za-z0-9_.-]*/\d{1,4}", r"\+?[0-9]{1,20}"
_CODE, _ADDRESS, _ALLOW = r"[0-9]{1,12}", r"[a-z]+://\S+|/\S+|COM\d+", r"\+?[0-9*#xX]{1,24}"

Name = Annotated[str, _form(_NAME), _matching(_NAME, "a plain name", "letters, digits, - and _")]
RefText = Annotated[str, _form(_REF), _matching(_REF, "board/number", 'a form like "keys1/4"')]
Number = Annotated[str, _form(_NUMBER), _matching(_NUMBER, "a telephone number", "digits, a leading + allowed")]
Code = Annotated[str, _form(_CODE), _matching(_CODE, "a code of digits", "1 to 12 digits")]
Prefix = Annotated[str, _form(r"[0-9*#]{0,8}"), _matching(r"[0-9*#]{0,8}", "keys to dial", "digits, * and #")]
Address = Annotated[
    str,
    _form(_ADDRESS),
    _matching(_ADDRESS, "an address", "/dev/serial/by-id/..., tcp://host:port, or end://NAME with a [world]"),
]
AllowPattern = Annotated[
    str, _form(_ALLOW), _matching(_ALLOW, "a number or pattern", 'digits, * and #; x for any digit, as in "10xx"')
]
Secret = Annotated[str, Field(min_length=1, description="env:NAME takes it from the environment")]


class Section(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


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


class Relay(Section):
    """A relay board."""

    driver: Name
    link: Address
    channels: Annotated[int, Field(ge=1, le=512)]
    baud: Annotated[int, Field(ge=300, le=3_000_000)] | None = None
    timeout_s: Annotated[float, Field(gt=0, le=60)] | None = None


class Sense(Section):
    """Digital inputs: ring, hook and loop-current sensors."""

    driver: Name
    link: Address
    baud: Annotated[int, Field(ge=300, le=3_000_000)] | None = None
    pins: list[Annotated[int, Field(ge=0, le=127)]] | None = None
    pull_up: bool | None = Field(default=None, description="for contacts to ground")


class Hook(Section):
    """The hook contact: what a closed contact does, and which position is safe."""

    contact: RefText
    closed: Literal["off-hook", "on-hook"]
    safe: Literal["open", "closed"]

    @model_validator(mode="after")
    def _safe_is_on_hook(self) -> Hook:
        if (self.closed == "off-hook") != (self.safe == "open"):
            raise _wrong(
                f'safe = "{self.safe}" would leave the phone off-hook, since a closed contact is {self.closed}',
                f'safe = "{"open" if self.closed == "off-hook" else "closed"}"',
            )
        return self


class Keypad(Section):
    """Row and column contacts (4 rows, 3 or 4 columns), or one contact a key."""

    rows: list[RefText] = []
    columns: list[RefText] = []
    keys: dict[str, RefText] = {}

    @model_validator(mode="after")
    def _every_key_is_reachable(self) -> Keypad:
        if self.keys and (self.rows or self.columns):
            raise _wrong("has both keys and rows/columns", "one contact a key, or a matrix, not both")
        if self.keys:
            missing = [key for key in KEYS if key not in self.keys]
            strange = [key for key in self.keys if key not in KEYS + "ABCD"]
            if missing or strange:
                names = "no contact for " + " ".join(missing) if missing else "no such key: " + " ".join(strange)
                raise _wrong(names, "one contact for each of " + " ".join(KEYS), "keys")
        elif len(self.rows) != 4 or len(self.columns) not in (3, 4):
            found = f"{len(self.rows)} rows and {len(self.columns)} columns do not reach every key"
            raise _wrong(found, "4 rows and 3 columns (4 for A to D)", "keys")
        return self

    def contacts(self, key: str) -> tuple[Ref, ...]:
        """The contacts that press a key: one, or row and column. Raises KeyError if the pad has no such key."""
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
    press_ms: Annotated[int, Field(ge=20, le=5000)] = 100
    gap_ms: Annotated[int, Field(ge=20, le=5000)] = 100


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
    region: Annotated[str, _form("[A-Z]{2}"), _matching("[A-Z]{2}", "a country", 'two letters, as in "US"')] = "US"
    dut: Dut
    world: World | None = None
    pbx: Pbx | None = None
    tap: Tap | None = None
    cloud: Cloud | None = None
    audio: dict[Name, Audio] = {}
    relay: dict[Name, Relay] = {}
    sense: dict[Name, Sense] = {}
    phone: dict[Name, PhoneModel] = {}
    trunk: dict[Name, TrunkModel] = {}
    ivr: dict[Name, IvrModel] = {}
    loop: dict[Name, LoopModel] = {}
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
