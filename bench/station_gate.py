"""What the station puts around its drivers: a gate before each relay board and generator, an account of CTI monitors.

All honour the driver's protocol. A gate shuts while the station goes to its safe state, so that a flow that still
runs beside it cannot close a relay, or switch an output on, behind its back.
"""

from __future__ import annotations

from collections.abc import Callable

from offhook.drivers.cti import Capability, CtiDriver, OnEvent, OnResponse, OnTrace, Response, Service
from offhook.drivers.errors import ConfigError, NotAllowed
from offhook.drivers.relay import OnSwitch, Pulsing, RelayBoard, State, Stateful, reads_back
from offhook.drivers.visa import Generator


class GatedBoard:
    """A relay board that closes no relay while ``shut``; opening is always allowed."""

    def __init__(self, name: str, inner: RelayBoard) -> None:
        self.name = name
        self.inner = inner
        self.shut = False
        self.before_command: Callable[[int, bool], None] | None = None
        """Told (relay, closed) of every command before it is sent; raises to hold it back."""

    @property
    def channels(self) -> int:
        """How many relays the station file says it has."""
        return self.inner.channels

    def connect(self) -> str:
        """See :class:`offhook.drivers.relay.RelayBoard`."""
        return self.inner.connect()

    def set(self, relay: int, closed: bool) -> None:
        """Switch one relay. Raises NotAllowed for closing one while the gate is shut."""
        self._allow(relay, closed)
        self.inner.set(relay, closed)

    def read_all(self) -> tuple[bool, ...]:
        """What the board reports."""
        return self.inner.read_all()

    def open_all(self) -> None:
        """Every relay open."""
        self.inner.open_all()

    def on_switch(self, listener: OnSwitch) -> None:
        """Tell the listener of every acknowledged command."""
        self.inner.on_switch(listener)

    @property
    def reads_back(self) -> bool:
        """False for a board that cannot be read."""
        return reads_back(self.inner)

    @property
    def pulse_step_s(self) -> float | None:
        """Closures that the board times itself are multiples of this; None if it times none."""
        return self.inner.pulse_step_s if isinstance(self.inner, Pulsing) else None

    def pulse(self, relay: int, hold_s: float) -> None:
        """A closure that the board times. Raises NotAllowed while the gate is shut, ConfigError if it times none."""
        if not isinstance(self.inner, Pulsing):
            raise ConfigError(f"relay.{self.name}", f"pulse relay {relay}", "this board times no closures", "set")
        self._allow(relay, True)
        self.inner.pulse(relay, hold_s)

    @property
    def states(self) -> tuple[State, ...]:
        """Commanded, reported, observed; nothing is known of a board whose driver keeps no account."""
        return self.inner.states if isinstance(self.inner, Stateful) else (State(),) * self.channels

    def observe(self, relay: int, closed: bool) -> None:
        """Somebody saw what the contact does."""
        if isinstance(self.inner, Stateful):
            self.inner.observe(relay, closed)

    def close(self) -> None:
        """Let go of the wire."""
        self.inner.close()

    def _allow(self, relay: int, closed: bool) -> None:
        if closed and self.shut:
            detail = "the station is going to its safe state"
            raise NotAllowed(f"relay.{self.name}", f"close relay {relay}", detail, "open the station again")
        if self.before_command is not None:
            self.before_command(relay, closed)


class GatedGenerator:
    """A generator that sends nothing while ``shut``; switching it off is always allowed."""

    def __init__(self, name: str, inner: Generator) -> None:
        self.name = name
        self.inner = inner
        self.shut = False
        self.before_output: Callable[[], None] | None = None
        """Told before it sends; raises to hold it back."""
        self.after_output: Callable[[], None] | None = None
        """Told once it was read back as off."""

    @property
    def late_replies(self) -> tuple[str, ...]:
        """See :class:`offhook.drivers.visa.Instrument`."""
        return self.inner.late_replies

    def connect(self) -> str:
        """See :class:`offhook.drivers.visa.Instrument`."""
        return self.inner.connect()

    def check_identity(self) -> str:
        """See :class:`offhook.drivers.visa.Instrument`."""
        return self.inner.check_identity()

    def sine(self, freq_hz: float, level_dbm: float) -> None:
        """A tone into 600 ohm. Raises NotAllowed while the gate is shut."""
        self._allow()
        self.inner.sine(freq_hz, level_dbm)

    def noise(self, level_dbm: float) -> None:
        """White noise into 600 ohm. Raises NotAllowed while the gate is shut."""
        self._allow()
        self.inner.noise(level_dbm)

    def safe(self) -> None:
        """Off, read back."""
        self.inner.safe()
        if self.after_output is not None:
            self.after_output()

    def close(self) -> None:
        """Let go of it."""
        self.inner.close()

    def _allow(self) -> None:
        if self.shut:
            detail = "the station is going to its safe state"
            raise NotAllowed(f"instrument.{self.name}", "send", detail, "open the station again")
        if self.before_output is not None:
            self.before_output()


class CountedCti:
    """The bench's CTI session; ``monitors`` are those it started and has not stopped: id -> device."""

    def __init__(self, inner: CtiDriver) -> None:
        self.inner = inner
        self.monitors: dict[str, str] = {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the PBX offers."""
        return self.inner.capabilities

    @property
    def up(self) -> bool:
        """True while the link is usable."""
        return self.inner.up

    def start(self, on_up: Callable[[], None], on_down: Callable[[str], None]) -> None:
        """See :class:`offhook.drivers.cti.CtiDriver`. A lost session has no monitors any more."""

        def down(reason: str) -> None:
            self.monitors.clear()
            on_down(reason)

        self.inner.start(on_up, down)

    def request(self, service: Service, done: OnResponse, **arguments: str) -> None:
        """Ask for a service, and keep account of monitors."""

        def counted(response: Response) -> None:
            if response.ok and service is Service.MONITOR_START:
                self.monitors[response.monitor_id] = arguments.get("device", "")
            elif response.ok and service is Service.MONITOR_STOP:
                self.monitors.pop(arguments.get("monitor_id", ""), None)
            done(response)

        self.inner.request(service, counted, **arguments)

    def subscribe(self, on_event: OnEvent) -> None:
        """Deliver every event."""
        self.inner.subscribe(on_event)

    def trace(self, on_trace: OnTrace) -> None:
        """Deliver every message."""
        self.inner.trace(on_trace)

    def close(self) -> None:
        """End the session."""
        self.monitors.clear()
        self.inner.close()
