"""The station as a test sees it: phones, accounts, IVR ports, trunk, CTI; drivers stay underneath."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from offhook.bench.accounts import Account
from offhook.bench.listen import Listener
from offhook.bench.loop import Loop
from offhook.bench.phone import Phone, WireCut
from offhook.bench.record import RunRecord
from offhook.bench.sightings import digit_note, wire_up
from offhook.bench.station import Rig
from offhook.bench.station_model import PhoneModel, ref
from offhook.bench.thresholds import SMOKE
from offhook.bench.watch import Seen, Watch
from offhook.drivers.cloud import CloudClient
from offhook.drivers.cti import Capability, Response, Service
from offhook.drivers.errors import ConfigError, DeviceRefused, DeviceTimeout, NotAllowed
from offhook.drivers.keypad import Keypad
from offhook.drivers.keypad.contacts import Contact, ContactKeypad
from offhook.drivers.keypad.matrix import MatrixKeypad
from offhook.drivers.keypad.operator import HeardDigit, OperatorKeypad
from offhook.drivers.linesim import LineSimulator
from offhook.drivers.nearest import instead_of

PATIENCE = 1000
"""Failed contexts the service puts up with while the suites fail on purpose; TH-17 has tests of its own."""


class Trunk:
    """The outside lines, seen by their loop current."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    @property
    def seizures(self) -> list[Seen]:
        """Every seizure since the attempt began."""
        return list(self._watch.all("seizure", active=True))


class CtiClient:
    """The bench's own CTI session, waiting for each answer."""

    def __init__(self, rig: Rig, watch: Watch) -> None:
        self._driver = rig.cti
        self._watch = watch
        self._prefix = rig.model.lock_prefix
        self._phones = {phone.extension: phone for phone in rig.model.phone.values()}
        self._lock = rig.model.options.lock
        self._monitors: dict[str, str] = {}
        self._locked: set[str] = set()

    def call(self, service: Service, **arguments: str) -> Response:
        """One service. Raises DeviceRefused with the PBX's reason, DeviceTimeout if it never answers."""
        answers: list[Response] = []
        self._driver.request(service, answers.append, **arguments)
        if not self._watch.clock.wait_for(lambda: bool(answers), 6.0):
            raise DeviceTimeout("pbx", str(service), "no answer", "is the CTI link up?  offhook check")
        if not answers[0].ok:
            raise DeviceRefused("pbx", f"{service} {arguments}", answers[0].error)
        return answers[0]

    def monitor(self, extension: str) -> None:
        """Watch an extension until the attempt ends."""
        if extension not in self._monitors:
            self._monitors[extension] = self.call(Service.MONITOR_START, device=extension).monitor_id

    def lock(self, extension: str, variant: str = "") -> Response:
        """Lock an extension (S5), as its phone is locked if no variant is named; :meth:`release` undoes it."""
        self.monitor(extension)  # a lock by prefix call is confirmed by an event alone
        phone = self._phones.get(extension)
        variant = variant or (phone.lock if phone else None) or self._lock
        self._locked.add(extension)
        return self.call(Service.LOCK, device=extension, variant=variant, prefix=self._prefix)

    def unlock(self, extension: str) -> Response:
        """Unlock it again."""
        self._locked.discard(extension)
        return self.call(Service.UNLOCK, device=extension)

    def release(self) -> None:
        """Undo the locks and stop the monitors of this session."""
        for extension in sorted(self._locked):
            self.unlock(extension)
        while self._monitors:
            self.call(Service.MONITOR_STOP, monitor_id=self._monitors.popitem()[1])


def keypad_of(name: str, section: PhoneModel, rig: Rig) -> Keypad:
    """The keypad of a phone: its contacts, as the station file wires them, or the driver it names."""
    if section.keypad.driver is not None:
        return rig.keypad_driver(name, section)

    def contact(text: str) -> Contact:
        board, relay = ref(text)
        return Contact(rig.relays[board], relay)

    press_s, gap_s = section.press_ms / 1000, section.gap_ms / 1000
    if section.keypad.keys:
        keys = {key: (contact(text),) for key, text in section.keypad.keys.items()}
        return ContactKeypad(name, rig.clock, keys, press_s, gap_s)
    rows = [contact(text) for text in section.keypad.rows]
    columns = [contact(text) for text in section.keypad.columns]
    return MatrixKeypad(name, rig.clock, rows, columns, press_s, gap_s)


class Station:
    """A connected station, recorded.

    ``phone(name)``, ``account(name)``, ``trunk``, ``cti``, ``listener``, ``watch``; ``begin``/``end`` frame an attempt.
    """

    alone = True
    """False for a lane: other phones ring and dial at the same time, rightly."""

    def __init__(self, rig: Rig, record: RunRecord) -> None:
        self.rig = rig
        self.record = record
        self.clock = rig.clock
        self.model = rig.model
        self.options = rig.model.options
        self.quarantined: dict[str, str] = {}
        """Phones that this run leaves alone, and why."""
        self.refused: frozenset[str] = frozenset()
        """Those of them that were set aside before it began; one that dies meanwhile may be in use in a lane."""
        self.limits = SMOKE
        """What flows are judged by; a run sets those of its profile."""
        self.watch = Watch(rig.clock, record)
        self.trunk = Trunk(self.watch)
        self._cti = CtiClient(rig, self.watch) if rig.model.pbx else None
        self.listener = self._listen()
        self.loops = {name: Loop(name, section, rig) for name, section in rig.model.loop.items()}
        self.phones = {name: self._phone(name, section) for name, section in rig.model.phone.items()}
        self._accounts: dict[str, Account] = {}
        self.context_ids: set[str] = set()
        """Of every association so far: a local code may be part of one by chance."""
        self.codes_drawn: set[str] = set()
        """Association codes of the attempts that are made now: one may be a local code by chance."""
        wire_up(self)

    def phone(self, name: str) -> Phone:
        """A phone by its name in the station file. Raises ConfigError for others, NotAllowed for one set aside."""
        if name not in self.phones:
            raise ConfigError(f"phone.{name}", "find", "this station has no such phone", instead_of(name, self.phones))
        if name in self.refused:
            why = f"it is in quarantine: {self.quarantined[name]}"
            raise NotAllowed(f"phone.{name}", "use", why, "another phone; see offhook quarantine list")
        return self.phones[name]

    def neighbour(self, phone: Phone) -> Phone:
        """Another phone of the station. Raises ConfigError if it has only one."""
        names = [name for name in self.phones if name == phone.name or name not in self.quarantined]
        if len(names) < 2:
            raise ConfigError("phone", "find a neighbour", f"{names[0]} is the only phone", "add a second phone")
        return self.phones[names[(names.index(phone.name) + 1) % len(names)]]

    def account(self, name: str) -> Account:
        """An account of the cloud service, logged in at first use."""
        known = self.model.accounts
        if name not in known:
            raise ConfigError(f"cloud.accounts.{name}", "find", "there is no such account", instead_of(name, known))
        if name not in self._accounts:
            self._accounts[name] = Account(name, self.cloud, self.watch, list(self.phones.values()))
        return self._accounts[name]

    @property
    def usable(self) -> list[Phone]:
        """The phones that are not in quarantine, in the order of the station file."""
        return [phone for name, phone in self.phones.items() if name not in self.quarantined]

    @property
    def first_account(self) -> Account:
        """The account of a test that needs one: the first in the station file, whatever its name."""
        return self.account(next(iter(self.model.accounts), "of any name"))

    def second_account(self, req: str) -> Account | None:
        """Another account, for what two do to each other; None if there is none: then ``req`` is NOT_APPLICABLE."""
        others = list(self.model.accounts)[1:]
        if not others:
            self.not_applicable(req, "the station file names one account: a second one in [cloud.accounts]")
            return None
        return self.account(others[0])

    @property
    def cloud(self) -> CloudClient:
        """The cloud service's API. Raises ConfigError if the station has none."""
        if self.model.cloud is None:
            raise ConfigError(f"station {self.model.name}", "ask the cloud service", "it has no [cloud]", "add [cloud]")
        return self.rig.cloud_api

    @property
    def cti(self) -> CtiClient:
        """The bench's own CTI session. Raises ConfigError if the station has none."""
        if self._cti is None:
            raise ConfigError(f"station {self.model.name}", "use the CTI session", "it has no [pbx]", "add [pbx]")
        return self._cti

    def linesim(self, name: str) -> LineSimulator:
        """A line simulator of the station by its name. Raises ConfigError for others."""
        if name not in self.rig.linesims:
            known = ", ".join(self.rig.linesims) or "none"
            raise ConfigError(f"linesim.{name}", "find", f"this station has {known}", "add [linesim.NAME]")
        return self.rig.linesims[name]

    def loop(self, name: str) -> Loop:
        """A loop of the station by its name. Raises ConfigError for others."""
        if name not in self.loops:
            raise ConfigError(f"loop.{name}", "find", f"this station has {', '.join(self.loops) or 'none'}")
        return self.loops[name]

    @property
    def ivr_ports(self) -> list[str]:
        """Names of the IVR ports, as in ``[ivr.NAME]``."""
        return list(self.model.ivr)

    def allow(self, number: str) -> None:
        """Raise NotAllowed unless the station's allow list has the number."""
        self.rig.allow(number)

    @property
    def feature_codes(self) -> tuple[str, str] | None:
        """What a phone dials not to be disturbed, and to be called again; None if the station file does not say."""
        pbx = self.model.pbx
        return (pbx.dnd_on, pbx.dnd_off) if pbx is not None and pbx.dnd_on and pbx.dnd_off else None

    def why_not_locked(self, phone: Phone, variant: str) -> str:
        """Why this phone cannot be locked like that here ("" if it can), in words for the report."""
        wanted = {"notify": Capability.LOCK_NOTIFY, "prefix": Capability.LOCK_PREFIX}
        if variant not in wanted:
            return f"{phone.name} cannot be locked over CTI: its station file says so"
        if wanted[variant] not in self.rig.cti.capabilities:
            return f"the PBX offers no lock by {variant} over CTI"
        if variant == "notify" and phone.kind == "analog":
            return f"{phone.name} is an analog set: nothing can be notified to it"
        if variant == "prefix" and not self.model.lock_prefix:
            return "the station file names no lock prefix"
        if phone.model.local_code is None:
            return f"the station file names no local code of {phone.name}"
        return ""

    @contextmanager
    def policy(self, **changes: Any) -> Iterator[None]:
        """Other settings of the service (docs/architecture.md) for a while. Raises DeviceRefused if it has them not."""
        before = self.cloud.admin_policy({})
        self.cloud.admin_policy(changes)
        try:
            yield
        finally:
            self.cloud.admin_policy({name: before[name] for name in changes})

    def lock(self, phone: Phone, variant: str = "") -> None:
        """Lock a phone over the bench's own CTI session and see it confirmed; :meth:`end` unlocks it (LOCK-END.1)."""
        since_s = self.clock.now_s()
        self.cti.lock(phone.extension, variant)
        if self.watch.expect("cti-event", 3.0, since_s, phone.extension, name="Locked") is None:
            raise DeviceTimeout(
                f"phone.{phone.name}", "lock", "no Locked event within 3 s", "does the PBX offer a lock?"
            )

    def connect(self, caller: Phone, called: Phone) -> None:
        """An internal call, answered: both handsets up, audio both ways. Raises WireCut naming what stayed silent."""
        since_s = caller.lift().time_s
        if not caller.hears_dial_tone():
            raise WireCut(f"handset of {caller.name}", "call", "no dial tone", "offhook check")
        caller.dial(called.extension)
        if called.ring(8.0, since_s) is None:
            digits = "".join(str(seen.data["key"]) for seen in self.watch.all("digit", since_s, caller.name))
            if digits != called.extension:
                detail = f"{called.extension} dialled, {digits or 'no digit'} heard in its own ear"
                raise WireCut(f"keypad or handset of {caller.name}", "call", detail, "listen to its WAV; settle_ms")
            raise WireCut(f"ringer of {called.name}", "call", f"{caller.name} dialled, no ring", "offhook check")
        self.clock.sleep(0.5)
        called.lift()
        self.clock.sleep(0.5)

    def lines_free(self) -> bool:
        """True if no outside line draws loop current."""
        last: dict[str, bool] = {}
        for seen in self.watch.all("seizure"):
            last[seen.subject] = bool(seen.data["active"])
        return not any(last.values())

    def choose_codes(self, *codes: str) -> bool:
        """Make the service hand out these codes next; False if it chooses for itself, as every real one does."""
        try:
            self.cloud.next_codes(codes)
        except DeviceRefused:
            return False
        return True

    def judge_count(
        self,
        req: str,
        title: str,
        kind: str,
        since_s: float,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        **where: Any,
    ) -> None:
        """Judge how often something was seen from a time until now; ``where`` compares data fields."""
        limits = {"at_least": at_least, "at_most": at_most, "where": where}
        spec: dict[str, Any] = {"observed": kind, "from_s": since_s, "to_s": self.clock.now_s(), **limits}
        self.record.judge(req, title, "count", **spec)

    def not_applicable(self, req: str, reason: str) -> None:
        """Say why a requirement does not apply to this station."""
        self.record.judge(req, reason, "note", verdict="NOT_APPLICABLE", reason=reason)

    def not_run(self, req: str, reason: str) -> None:
        """Say why a requirement could not be tried."""
        self.record.judge(req, reason, "note", verdict="NOT_RUN", reason=reason)

    def figure(self, req: str, title: str, value: float, unit: str, at_most: float, u: float) -> None:
        """Judge one measured figure."""
        self.record.judge(req, title, "figure", unit=unit, value=value, at_most=at_most, u=u, n=1)

    def begin(self) -> None:
        """Every phone on hook, nothing associated, nothing pending: every attempt starts alike."""
        self.rig.revive()
        self.codes_drawn.clear()
        if self.model.cloud is not None:
            self.cloud.admin_policy({"max_failed_contexts": PATIENCE})
        for name in self.model.accounts:
            for extension in self.account(name).phones():
                self.account(name).leave(extension)
        self._rest()
        self.watch.forget(keep=("hook", "seizure"))

    def end(self) -> None:
        """After an attempt: handsets down, the bench's locks undone, its monitors stopped."""
        self._rest()
        if self._cti is not None and self.rig.cti.up:
            self._cti.release()
        self.clock.sleep(0.2)

    def _rest(self) -> None:
        for account in self._accounts.values():
            account.abandon()
        for phone in self.phones.values():
            phone.hang_up()
        self.clock.sleep(0.5)

    def _listen(self) -> Listener:
        channels = {name: ref(address) for name, address in self._channels()}
        cards = sorted({channel.board for channel in channels.values()})
        if not cards:
            raise ConfigError("audio", "listen", "no handset, no IVR tap and no loop is wired to it", "[loop.NAME]")
        if len(cards) != 1:
            raise ConfigError("audio", "listen", f"handsets and IVR taps on several sound cards: {', '.join(cards)}")
        names = {name: channel.number for name, channel in channels.items()}
        port = self.rig.audio[cards[0]]
        self.record.record_audio(port, {channel: name for name, channel in names.items()})
        return Listener(self.clock, port, names, digit_note(self.watch), self.model.region)

    def _channels(self) -> list[tuple[str, str]]:
        taps = [(name, phone.handset) for name, phone in self.model.phone.items()]
        for name, ivr in self.model.ivr.items():
            taps += [(f"ivr-{name}-heard", ivr.heard), (f"ivr-{name}-spoken", ivr.spoken)]
        taps += [(f"linesim-{name}", box.line) for name, box in self.model.linesim.items()]
        return [*taps, *((f"loop-{name}", loop.hear) for name, loop in self.model.loop.items())]

    def _phone(self, name: str, section: PhoneModel) -> Phone:
        keypad = keypad_of(name, section, self.rig)
        if isinstance(keypad, OperatorKeypad):
            keypad.observed_by(lambda since_s: self._digits(name, since_s))
        return Phone(name, section, self.rig, keypad, self.listener, self.watch)

    def _digits(self, phone: str, since_s: float) -> list[HeardDigit]:
        """What was keyed at a phone, by its handset's audio."""
        heard = self.watch.all("digit", since_s, phone)
        return [HeardDigit(str(seen.data["key"]), float(seen.data["start_s"]), seen.time_s) for seen in heard]
