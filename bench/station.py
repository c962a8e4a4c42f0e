"""A station, opened: locks taken, every driver built and connected, and the safe state on every way out.

::

    with open_rig("simulated", seed=1) as rig:
        rig.relays["keys1"].set(8, True)
        rig.clock.sleep(1.0)
"""

from __future__ import annotations

import copy
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from offhook.bench import calibrate_store, locks, signals
from offhook.bench.guardian import Guardian, PatientWires, watched
from offhook.bench.linesim import open_linesim
from offhook.bench.numbers import DialRule
from offhook.bench.safety import SafeReport, closed_when_safe, make_safe
from offhook.bench.station_file import Loaded, ends, find_station, load_station
from offhook.bench.station_gate import CountedCti, GatedBoard, GatedGenerator
from offhook.bench.station_grade import grade_of
from offhook.bench.station_model import PhoneModel, Section, StationModel
from offhook.drivers import registry
from offhook.drivers.audio import AudioPort, Lossy
from offhook.drivers.clock import Clock
from offhook.drivers.cloud import CloudClient
from offhook.drivers.cti.tap import CtiTap
from offhook.drivers.errors import ConfigError, DeviceError, DeviceGone, DeviceTimeout, OffhookError, Unavailable
from offhook.drivers.keypad import Keypad
from offhook.drivers.linesim import LineSimulator
from offhook.drivers.links import Grade, LabWires, Wires
from offhook.drivers.sense import SenseInputs
from offhook.drivers.visa import Generator, Instrument
from offhook.dsp import compiled

CTI_LIMIT_S = 10.0
REVIVALS = 2
"""A sound card that was lost is connected again at the next attempt, this often in a run."""


class Unreachable(DeviceGone):
    """Some wires of a station do not answer: ``failures`` has every one, by resource."""

    def __init__(self, loaded: Loaded, failures: Mapping[str, OffhookError], total: int) -> None:
        self.failures = dict(failures)
        super().__init__(loaded.model.name, "connect", f"{len(failures)} of {total} wires do not answer")
        self._text = f"{loaded.model.name}: {self.detail}\n" + "\n".join(
            f"  {loaded.where(*resource.split('.', 1))}  {resource}: {error}" for resource, error in failures.items()
        )

    def __str__(self) -> str:
        return self._text


class Rig:
    """The drivers of a station by their names in its file.

    ``relays``, ``audio``, ``senses``, ``linesims``, ``instruments`` (dictionaries), ``cti``, ``tap``, ``cloud_api``;
    ``clock`` is the one they share. ``identities`` says what answered, ``failures`` what did not, ``left_out`` what
    cannot be used here and now, by resource ("relay.keys1", "pbx"). ``guard`` watches over the relays and generators of
    real wires, but for those in ``unguarded``, which says why.
    """

    relays: dict[str, GatedBoard]
    audio: dict[str, AudioPort]
    senses: dict[str, SenseInputs]
    linesims: dict[str, LineSimulator]
    instruments: dict[str, Instrument]
    cti: CountedCti
    tap: CtiTap
    cloud_api: CloudClient

    def __init__(self, loaded: Loaded, wires: Wires, guard: Guardian | None = None) -> None:
        self.loaded = loaded
        self.guard = guard
        self.model: StationModel = loaded.model
        self.wires = wires
        self.clock: Clock = wires.clock
        self.role = loaded.model.role
        self.dut = loaded.model.dut
        self.options = loaded.model.options
        self.identities: dict[str, str] = {}
        self.failures: dict[str, OffhookError] = {}
        self.left_out: dict[str, Unavailable] = {}
        self.unguarded: dict[str, str] = {}
        self.connected: set[str] = set()
        self.safe_report: SafeReport | None = None
        self.calibration = calibrate_store.Calibration("not asked for")
        self._revivals: Counter[str] = Counter()
        self.relays, self.audio, self.senses, self.linesims, self.instruments = {}, {}, {}, {}, {}
        self._rule = DialRule(loaded.model.name, loaded.model.dial.allow, loaded.model.outside_prefix)
        self._closers = ExitStack()

    def allow(self, number: str) -> str:
        """The number as it is dialled. Raises NotAllowed for one that is not on the list, or an emergency number."""
        return self._rule.check(number)

    @property
    def resources(self) -> list[str]:
        """Every wire of the station, in the order it is connected."""
        relays = [f"relay.{name}" for name in self.model.relay]
        senses = [f"sense.{name}" for name in self.model.sense]
        audio = [f"audio.{name}" for name in self.model.audio]
        linesims = [f"linesim.{name}" for name in self.model.linesim]
        instruments = [f"instrument.{name}" for name in self.model.instrument]
        return [*relays, *senses, *audio, *linesims, *instruments, *self.model.single]

    @property
    def grade(self) -> Grade:
        """How real the weakest wire is."""
        return grade_of(self.model, self.wires.grade, self.audio.values())

    @property
    def monitors(self) -> dict[str, str]:
        """CTI monitors of the bench's session that are not stopped: id -> device."""
        return dict(self.cti.monitors) if "pbx" in self.connected else {}

    def connect(self) -> None:
        """Open and connect every wire; what does not answer is gathered in ``failures``."""
        for resource in self.resources:
            try:
                self.identities[resource] = self._connect(resource)
                self.connected.add(resource)
            except Unavailable as error:
                self.left_out[resource] = error
            except (DeviceError, ConfigError) as error:
                self.failures[resource] = error

    def revive(self) -> None:
        """Connect sound cards again that were lost since. Raises DeviceError for one that is still gone.

        Tried so often only: a card that hangs where it is opened costs its whole limit each time.
        """
        for name, port in self.audio.items():
            if isinstance(port, Lossy) and port.lost and f"audio.{name}" in self.connected:
                if self._revivals[name] >= REVIVALS:
                    raise DeviceGone(f"audio.{name}", "connect again", port.lost, "offhook check")
                self._revivals[name] += 1
                self.identities[f"audio.{name}"] = port.connect()

    def make_safe(self, *, stay_shut: bool = False) -> SafeReport:
        """The safe state, read back; see :func:`offhook.bench.safety.make_safe`."""
        self.safe_report = make_safe(self, stay_shut=stay_shut)
        return self.safe_report

    def close(self) -> None:
        """Let go of every driver, the last one first."""
        self._closers.close()

    def _close_later(self, close: Callable[[], None]) -> None:
        def closed() -> None:
            with suppress(OffhookError, OSError):  # a dead wire; the safe state has reported it
                close()

        self._closers.callback(closed)

    def _connect(self, resource: str) -> str:
        kind, _, name = resource.partition(".")
        if kind == "relay":
            return self._connect_relays(name)
        if kind == "sense":
            self.senses[name] = self._opened("sense", resource, self.model.sense[name])
            return self.senses[name].connect()
        if kind == "audio":
            section = self.model.audio[name]
            gains = self.calibration.gains(name, section.channels) if section.device else {}
            self.audio[name] = self._opened("audio", resource, section, more=gains)
            return self.audio[name].connect()
        if kind == "linesim":
            return self._connect_linesim(name)
        if kind == "instrument":
            return self._connect_instrument(name)
        if kind == "tap" and self.model.tap is not None:
            self.tap = CtiTap.open("tap", _options(self.model.tap), self.wires)
            self._close_later(self.tap.close)
            return self.tap.connect()
        if kind == "pbx":
            return self._connect_cti()
        wires = self.wires if self.guard is None else PatientWires(self.wires, self.guard)
        self.cloud_api = self._opened("cloud", resource, self.model.cloud, wires)
        return self.cloud_api.connect()

    def _opened(
        self, kind: str, resource: str, section: Any, wires: Wires | None = None, more: Mapping[str, Any] | None = None
    ) -> Any:
        """Open the driver the section names; it is closed with the rig."""
        name = resource.partition(".")[2] or resource
        driver = registry.find(f"{kind}.{section.driver}", resource).open(
            name, _options(section) | dict(more or {}), wires or self.wires
        )
        self._close_later(driver.close)
        return driver

    def keypad_driver(self, name: str, section: PhoneModel) -> Keypad:
        """The keypad of a phone that is not pressed by relays; it is closed with the rig."""
        options = {**_options(section.keypad), "gap_s": section.gap_ms / 1000}
        wires = self.wires if self.guard is None else PatientWires(self.wires, self.guard)
        resource = f"phone.{name}.keypad"
        keypad = registry.find(f"keypad.{section.keypad.driver}", resource).open(name, options, wires)
        self._close_later(keypad.close)
        driver: Keypad = keypad
        return driver

    def _connect_relays(self, name: str) -> str:
        board = GatedBoard(name, self._opened("relay", f"relay.{name}", self.model.relay[name]))
        self.relays[name] = board
        resource, closed = f"relay.{name}", closed_when_safe(self.model, name)
        guarded = self.guard is not None and self.guard.arm(resource, board.inner, closed, self.model.relay[name].baud)
        try:
            identity = board.connect()
        except DeviceError:
            if self.guard is not None:
                self.guard.disarm(resource)  # nothing was moved on it, nor will be
            raise
        if self.guard is not None:
            self.guard.watch(resource, board, closed)
        for relay in sorted(closed):
            board.set(relay, True)
        if not guarded and self.guard is not None:
            self.unguarded[resource] = "its driver has no safe_action"
        return self._with_guard(resource, identity)

    def _connect_instrument(self, name: str) -> str:
        resource = f"instrument.{name}"
        driver = self._opened("instrument", resource, self.model.instrument[name])
        if not isinstance(driver, Generator):
            self.instruments[name] = driver
            return self.instruments[name].connect()
        gate = self.instruments[name] = GatedGenerator(name, driver)
        why_not = self.guard.arm_generator(resource, driver) if self.guard is not None else ""
        try:
            identity = gate.connect()
        except OffhookError:
            if self.guard is not None:
                self.guard.disarm(resource)  # nothing was sent with it, and it may be another one
            raise
        if why_not:
            self.unguarded[resource] = why_not
        if self.guard is not None:
            self.guard.watch_output(resource, gate)
        return self._with_guard(resource, identity)

    def _with_guard(self, resource: str, identity: str) -> str:
        why_not = self.unguarded.get(resource)
        return f"{identity}, no guardian ({why_not})" if why_not else identity

    def _connect_linesim(self, name: str) -> str:
        box = self.linesims[name] = open_linesim(self, name, _options(self.model.linesim[name]))
        self._close_later(box.close)
        return box.connect()

    def _connect_cti(self) -> str:
        self.cti = CountedCti(self._opened("cti", "pbx", self.model.pbx))
        lost: list[str] = []
        self.cti.start(lambda: None, lost.append)
        self.clock.wait_for(lambda: self.cti.up or bool(lost), CTI_LIMIT_S)
        if lost:
            raise DeviceGone("pbx", "open the CTI session", lost[0], "is its CTI service on, and our login right?")
        if not self.cti.up:
            raise DeviceTimeout(
                "pbx", "open the CTI session", f"no answer within {CTI_LIMIT_S:.0f} s", "is it the port?"
            )
        locks = [name for name in ("lock_notify", "lock_prefix") if name in self.cti.capabilities]
        return f"CTI session up, {len(self.cti.capabilities)} services, {' and '.join(locks) or 'no lock'}"


@contextmanager
def open_rig(
    station: str | Path,
    *,
    seed: int = 1,
    realtime: bool = False,
    faults: Sequence[str] = (),
    workdir: Path | None = None,
    purpose: str = "a run",
    on_safe: Callable[[SafeReport], None] | None = None,
    require_all: bool = True,
    from_s: float = 0.0,
    calibrated: bool = True,
) -> Iterator[Rig]:
    """Open a station by name or file; on every way out it is made safe, and closed.

    ``on_safe`` gets the report of the safe state before the wires close; without it an unconfirmed safe state is
    raised (DeviceError), or noted on the exception under way. With ``require_all`` a wire that does not answer raises
    Unreachable, with every such wire in it; else they are in ``rig.failures``. Raises ConfigError and Busy, too.
    ``from_s`` is where the common clock begins. Levels are as calibrated unless ``calibrated`` is false.
    """
    loaded = load_station(find_station(station))
    with ExitStack() as stack:
        stack.enter_context(compiled.held_off())  # up to a minute: the guardian would take it for hung
        stack.enter_context(locks.hold(_exclusive(loaded, realtime), purpose))
        place = workdir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offhook-")))
        wires = _open_wires(loaded, seed, realtime, faults, place)
        stack.callback(wires.close)
        if from_s:
            wires.clock.skip(from_s)
        guard = stack.enter_context(watched(wires, wires.clock, loaded.model.guardian.hung_s))
        rig = Rig(loaded, wires, guard)
        if calibrated:
            rig.calibration = calibrate_store.load(loaded.model)
        stack.callback(rig.close)
        signals.current().attach(rig.clock)
        stack.callback(signals.current().attach, None)
        stack.enter_context(_safe_at_the_end(rig, on_safe))
        rig.connect()
        if rig.failures and require_all:
            raise Unreachable(loaded, rig.failures, len(rig.resources))
        yield rig


@contextmanager
def _safe_at_the_end(rig: Rig, on_safe: Callable[[SafeReport], None] | None) -> Iterator[None]:
    ended: BaseException | None = None
    try:
        yield
    except BaseException as error:
        ended = error
        raise
    finally:
        with signals.current().shielded():
            report = _make_safe(rig)
            if on_safe is not None:
                on_safe(report)
            elif ended is not None:
                ended.add_note(str(report))
            elif not report.ok:
                raise DeviceError(rig.model.name, "reach the safe state", str(report), "switch the station off by hand")


def _make_safe(rig: Rig) -> SafeReport:
    """What was read back as safe is no longer the guardian's; what was not, it tries once the wires are closed."""
    if rig.guard is None:
        return rig.make_safe(stay_shut=True)
    rig.guard.leaving = True
    report = rig.make_safe(stay_shut=True)
    rig.guard.let_go(item.resource for item in report.items if not item.error)
    return report


def _options(section: Section) -> dict[str, Any]:
    given = section.model_dump(exclude_none=True)
    more = given.pop("options", {})  # of a relay board's driver from another package
    return {**given, **more}


def _exclusive(loaded: Loaded, realtime: bool) -> list[str]:
    """What nobody else may use meanwhile: real ports, and the station itself unless it only has simulated time."""
    model = loaded.model
    boards = [*(board.link for board in model.relay.values()), *(inputs.link for inputs in model.sense.values())]
    cards = [audio.link or audio.device or "" for audio in model.audio.values()]
    taps = [model.tap.link] if model.tap else []
    meters = [instrument.link for instrument in model.instrument.values()]
    ports = [port for port in (*boards, *cards, *taps, *meters) if not port.startswith("end://")]
    simulated_time = model.world is not None and not (realtime or model.world.realtime)
    return ports if simulated_time else [*ports, f"station {model.name}"]


def _open_wires(loaded: Loaded, seed: int, realtime: bool, faults: Sequence[str], workdir: Path) -> Wires:
    world = loaded.model.world
    if world is None:
        if faults:
            raise ConfigError(
                loaded.model.name, f"switch on {', '.join(faults)}", "a real wire has no faults to switch"
            )
        return LabWires()
    data = copy.deepcopy(loaded.data)
    data["world"]["faults"] = [*world.faults, *faults]
    end = ends()[world.end]
    try:
        open_end = end.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"far end {end.name}", "load", f"{end.value}: {error}", "install what brings it") from error
    wires: Wires = open_end(data, seed=seed, realtime=realtime or world.realtime, workdir=workdir)
    return wires
