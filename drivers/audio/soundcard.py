"""Any sound card PortAudio knows, many channels, full duplex, always on: the driver ``sounddevice``.

The card runs in a process of its own (engine.py), which is started, seen to move and, if it does not, started again.
The frame counter is the clock. The card's rate may differ from the bench's: 48 kHz in the card and 8 kHz at the bench
is the usual pair, and the resampling is our own.

What is played at a frame is heard at that frame on a wire from output to input: the round trip is measured at each
start by a maximum length sequence on the ``loop`` channel, whose output is wired to its own input. A pilot on it then
says all the time that the stream is still where it was. Without such a channel the round trip is what PortAudio
says, which is wrong by up to 40 ms, and a stream that a sound server moves elsewhere goes unnoticed.

A card that is gone (server killed: at once; frozen: after 0.6 s; sink removed: after 1 s) raises DeviceGone in
whoever waits on the clock, and from then on in every call but ``mute`` and ``close``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from offhook.drivers.audio import Loss, OnBlock, Samples
from offhook.drivers.audio.capture import Capture
from offhook.drivers.audio.engine import NUMBER
from offhook.drivers.audio.engine_process import EngineProcess
from offhook.drivers.audio.framing import Message
from offhook.drivers.audio.measures import Level, RoundTrip, levels_of
from offhook.drivers.audio.probe import Arrival, find, sequence
from offhook.drivers.clock import Clock, Timer, WallClock
from offhook.drivers.errors import ConfigError, DeviceBusy, DeviceError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import Wires

STARTS = 3
START_LIMIT_S = 10.0
MUTE_LIMIT_S = 0.5
BEAT_S = 0.2
SILENT_BEATS = 4
"""Beats (0.8 s) without a word from an engine that sends a hundred blocks a second, and it hangs."""
PROBES = 3
PROBE_LEVEL = 0.1
LONGEST_TRIP_S = 0.5
SPREAD_S = 0.0001
"""What the measured round trip is known to: a sequence of telephone bandwidth, 95 %."""
KINDS = {"busy": DeviceBusy, "gone": DeviceGone, "timeout": DeviceTimeout, "refused": DeviceRefused}


class SoundCard:
    """See :class:`offhook.drivers.audio.AudioPort`."""

    def __init__(self, name: str, clock: Clock, options: Mapping[str, Any]) -> None:
        """``options`` are those of :meth:`open`. Raises ConfigError for a clock that is not the wall's."""
        self.resource = f"audio.{name}"
        if not isinstance(clock, WallClock):
            raise ConfigError(self.resource, "open", "a sound card runs in real time", "realtime = true in [world]")
        if not options.get("device"):
            raise ConfigError(self.resource, "open", "no device is named", 'device = "the name of the sound card"')
        self._clock = clock
        self._rate_hz = int(options.get("rate_hz", 8000))
        self._channels = int(options.get("channels", 1))
        self._loop: int | None = options.get("loop")
        self._options = {
            "device": str(options["device"]),
            "host_api": str(options.get("host_api", "")),
            "channels": self._channels,
            "rate_hz": self._rate_hz,
            "card_hz": int(options.get("card_hz", 48000)),
            "latency_s": float(options.get("latency_s", 0.06)),
            "play_gain_db": list(options.get("play_gain_db") or [0.0] * self._channels),
            "hear_gain_db": list(options.get("hear_gain_db") or [0.0] * self._channels),
        }
        self._engine: EngineProcess | None = None
        self._beat: Timer | None = None
        self._lost: DeviceError | None = None
        self._muted = 0
        self._capture = Capture(self.resource, self._rate_hz, self._channels)
        self._begin()

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """Nothing is touched before :meth:`connect`.

        ``options``: ``device`` (its name, or a part of it that no other has), ``rate_hz``, ``channels`` (all the card
        has), ``host_api``, ``card_hz`` (48000), ``latency_s`` (0.06), ``loop`` (a channel), ``play_gain_db`` and
        ``hear_gain_db`` (one each a channel, from its calibration).
        """
        return cls(name, wires.clock, options)

    @property
    def rate_hz(self) -> int:
        """Frames a second."""
        return self._rate_hz

    @property
    def channels(self) -> int:
        """Channels in each direction."""
        return self._channels

    @property
    def physical(self) -> bool:
        """True if the card is known to be hardware, not a sound server's."""
        return bool(self._hello.get("physical"))

    @property
    def round_trip(self) -> RoundTrip:
        """From play to hearing, now."""
        return self._trip

    @property
    def lost(self) -> str:
        """Why the card is gone; "" while it is there."""
        return "" if self._lost is None else self._lost.detail

    @property
    def drift_ppm(self) -> float | None:
        """How much slower than the common clock the card's crystal is; None before ten seconds have told."""
        return self._capture.timeline.drift_ppm

    @property
    def engine_pid(self) -> int:
        """The engine's process; 0 before the card is connected."""
        return self._engine.pid if self._engine is not None else 0

    def connect(self) -> str:
        """Start the card, see frames move, measure the round trip; up to three times, each from the beginning.

        A card that was connected before goes on counting as if it had never stopped.
        """
        starts = STARTS if not self._capture.timeline.known else 1
        for attempt in range(1, starts + 1):
            self._leave()
            self._begin()
            try:
                self._start()
                self._measure()
                break
            except DeviceError as error:
                self._leave(at_once=True)
                if attempt == starts or error.operation == "find" or isinstance(error, DeviceBusy):
                    self._lost = error
                    raise
        self._beats()
        if self._capture.base:
            self._capture.lose(Loss(self._capture.base, self._capture.end, "the card is back", back=True))
        name, host_api = self._hello["name"], self._hello["host_api"]
        how = f"round trip {1000 * self._trip.s:.2f} +- {1000 * self._trip.u_s:.1f} ms"
        how += "" if self._trip.measured else " (as PortAudio says: no loop channel)"
        return f'"{name}" ({host_api}), {self._channels} channels, {self._options["card_hz"]} Hz, {how}'

    def now_frame(self) -> int:
        """The next frame to be captured."""
        self._check("read")
        return self._capture.end

    def time_of_s(self, frame: int) -> float:
        """When that frame was (will be) on the wire, on the common clock."""
        self._known("tell the time of a frame")
        return self._capture.timeline.time_of_s(frame)

    def frame_at(self, time_s: float) -> int:
        """The frame on the wire at a time of the common clock."""
        self._known("tell the frame of a time")
        return self._capture.timeline.frame_at(time_s)

    def play_at(self, frame: int, channel: int, samples: Samples) -> None:
        """Play on one channel so that a wire back to the input brings it at that frame."""
        if not 0 <= channel < self._channels:
            raise ConfigError(self.resource, f"play on channel {channel}", f"it has 0 to {self._channels - 1}", "")
        if channel == self._loop and self._trip.measured:
            raise ConfigError(self.resource, f"play on channel {channel}", "the pilot is on it", "another channel")
        self._play(frame - round(self._trip.s * self._rate_hz), channel, samples)

    def mute(self) -> None:
        """Drop all queued output at once; it is dropped when this returns, as an engine that does not say so ends."""
        engine, self._muted = self._engine, 0
        if engine is None or self._lost is not None:
            return
        try:
            engine.tell(Message("M"))
            if self._clock.wait_for(lambda: self._muted or self._lost is not None, MUTE_LIMIT_S):
                return
        except DeviceError:
            pass
        self._lose(DeviceGone(self.resource, "mute", "no answer; its process was ended", "offhook check"), told=True)

    def take(self, start: int, stop: int) -> Samples:
        """Captured frames ``(channels, stop - start)``. The last 60 s are kept."""
        self._check("take")
        return self._capture.take(start, stop)

    def subscribe(self, on_block: OnBlock) -> Callable[[], None]:
        """Call ``on_block(first_frame, block)`` for every captured block; blocks are read-only."""
        return self._capture.subscribe(on_block)

    @property
    def losses(self) -> list[Loss]:
        """Every loss so far."""
        return self._capture.losses

    def whole_until(self) -> int:
        """Of the frames before this one it is known which were lost: the pilot has told."""
        return self._capture.vouched if self._trip.measured else self._capture.end

    def on_loss(self, listener: Callable[[Loss], None]) -> None:
        """Tell the listener of frames that were lost, and of the card's own end (a loss without an end)."""
        self._capture.on_loss(listener)

    def levels(self, last_s: float = 0.1) -> list[Level]:
        """How loud each channel was in the last moments."""
        count = min(self._capture.end - self._capture.base, max(1, round(last_s * self._rate_hz)))
        return levels_of(self.take(self._capture.end - count, self._capture.end))

    def close(self) -> None:
        """Mute and stop; takes a second at most."""
        self._lost = self._lost or DeviceGone(self.resource, "use", "closed by the bench", "connect it again")
        self._leave()

    # ---- starting ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._capture.begin(self._clock.now_s())
        self._hello: dict[str, Any] = {}
        self._heard_since_beat = 0
        self._silent_beats = 0
        self._trip = RoundTrip(0.0, LONGEST_TRIP_S, False)
        self._lost = None

    def _start(self) -> None:
        self._engine = EngineProcess(self._clock, self._options, self._came, self._engine_ended)
        self._clock.wait_for(
            lambda: self._lost is not None or (bool(self._hello) and self._capture.moving), START_LIMIT_S
        )
        if self._lost is not None:
            raise self._lost
        if not self._capture.moving:
            detail = f"no frame within {START_LIMIT_S:g} s"
            raise DeviceTimeout(self.resource, "start", detail, "is the sound server alive?")

    def _measure(self) -> None:
        if self._loop is None:
            said_s = sum(part for part in self._hello["latency_s"] if 0 < part < LONGEST_TRIP_S)
            self._trip = RoundTrip(said_s, max(0.04, said_s), False)
            return
        arrival = self.probe(self._loop, self._loop)
        self._trip = RoundTrip(arrival.lag / self._rate_hz, SPREAD_S, True)
        self._tell(Message("T", channels=self._loop, payload=NUMBER.pack(arrival.lag)), "start the pilot")

    def probe(self, play: int, hear: int, level: float = PROBE_LEVEL) -> Arrival:
        """Play a sequence on a channel and find it on another. Raises DeviceRefused if it does not arrive.

        ``lag`` is in frames from the card's own play to its capture, whatever the round trip is known to be.
        """
        period = sequence(self._rate_hz)
        wave = np.rint(period * level * 32767).astype(np.int16)
        tail = round(LONGEST_TRIP_S * self._rate_hz)
        for _ in range(PROBES):
            start = self._capture.end + round(0.15 * self._rate_hz)
            self._play(start, play, wave)
            stop = start + len(wave) + tail
            self._clock.wait_for(lambda: self._lost is not None or self._capture.end >= stop, 10.0)  # noqa: B023
            arrival = find(wave.astype(np.float64), self.take(start, stop)[hear], self._rate_hz)
            if arrival.good:
                return arrival
        detail = f"what is played on channel {play} is not heard on channel {hear}"
        hint = f"a cable from output {play} to input {hear}; are both turned up?"
        raise DeviceRefused(self.resource, "measure the round trip", detail, hint)

    # ---- what comes --------------------------------------------------------------------------------------------

    def _came(self, message: Message) -> None:
        self._heard_since_beat += 1
        if message.kind == "B":
            self._block_came(message)
        elif message.kind == "H":
            self._hello = json.loads(bytes(message.payload))
        elif message.kind == "X":
            frame = self._capture.base + message.first_frame
            self._capture.timeline.restart(self._capture.end)
            self._capture.lose(Loss(frame, frame + message.frames, bytes(message.payload).decode()))
        elif message.kind == "L":
            self._pilot_came(self._capture.base + message.first_frame, *NUMBER.unpack(message.payload))
        elif message.kind == "M":
            self._muted += 1
        elif message.kind == "E":
            why = json.loads(bytes(message.payload))
            kind = KINDS.get(why["kind"])
            error = kind or ConfigError
            lost = error(self.resource, why["operation"], self._with_words(why["detail"]), why["hint"])
            self._lose(lost)

    def _block_came(self, message: Message) -> None:
        block = np.frombuffer(message.payload, dtype=np.int16, offset=NUMBER.size).reshape(message.channels, -1)
        (zero_s,) = NUMBER.unpack_from(message.payload)
        self._capture.block(message.first_frame, block, zero_s + self._clock.now_s() - time.monotonic())

    def _pilot_came(self, frame: int, lag: float) -> None:
        """All is well up to this frame. A lag that differs, after a loss, is the round trip from now on."""
        known = self._trip.s * self._rate_hz
        period = len(sequence(self._rate_hz))
        moved = (lag - known + period / 2) % period - period / 2
        if abs(moved) > SPREAD_S * self._rate_hz:
            self._trip = self._trip._replace(s=(known + moved) / self._rate_hz)
            self._capture.lose(
                Loss(self._capture.vouched, frame, f"the round trip is {1000 * self._trip.s:.2f} ms now")
            )
        self._capture.vouched = frame

    def _engine_ended(self) -> None:
        self._lose(DeviceGone(self.resource, "run", self._with_words("its process ended"), "offhook check"))

    def _with_words(self, detail: str) -> str:
        words = self._engine.last_words() if self._engine is not None else ""
        return f"{detail} ({words})" if words else detail

    def _lose(self, error: DeviceError | ConfigError, *, told: bool = False) -> None:
        if self._lost is not None:
            return
        self._lost = error  # type: ignore[assignment]
        started = self._beat is not None
        self._leave(at_once=True)
        if started:
            self._capture.lose(Loss(self._capture.end, None, str(error)))
            if not told:
                raise error

    def _beats(self) -> None:
        """Every now and then: an engine that says nothing hangs, and is ended."""
        self._silent_beats = 0 if self._heard_since_beat else self._silent_beats + 1
        self._heard_since_beat = 0
        self._beat = self._clock.call_at(self._clock.now_s() + BEAT_S, self._beats)
        if self._silent_beats >= SILENT_BEATS:
            detail = f"no word from its process for {SILENT_BEATS * BEAT_S:g} s"
            self._lose(DeviceGone(self.resource, "run", detail, "is the machine overloaded?"))

    # ---- what goes ---------------------------------------------------------------------------------------------

    def _play(self, frame: int, channel: int, samples: Samples) -> None:
        payload = np.ascontiguousarray(samples, dtype=np.int16)
        if payload.ndim != 1:
            raise ValueError(f"samples for one channel have one dimension, not {payload.ndim}")
        frame -= self._capture.base
        if frame < 0:
            payload, frame = payload[-frame:], 0
        self._tell(Message("P", frame, len(payload), channel, payload.tobytes()), "play")

    def _tell(self, message: Message, operation: str) -> None:
        self._check(operation)
        if self._engine is None:
            raise DeviceGone(self.resource, operation, "not connected", "connect() first")
        try:
            self._engine.tell(message)
        except DeviceGone as error:
            raise DeviceGone(self.resource, operation, self._with_words(error.detail), "offhook check") from error

    def _check(self, operation: str) -> None:
        if self._lost is not None:
            lost = self._lost
            raise DeviceGone(self.resource, operation, lost.detail, lost.hint) from lost

    def _known(self, operation: str) -> None:
        if not self._capture.timeline.known:
            raise DeviceTimeout(self.resource, operation, "nothing has arrived yet", "connect() first")

    def _leave(self, *, at_once: bool = False) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.end(at_once=at_once)
