"""Audio frames over a byte link: the sound card of a simulated station, or one in another process.

Every message is a header of 21 bytes, little-endian, and a payload:

====  =====  ===============================================================================================
byte  type   field
====  =====  ===============================================================================================
0     u8     kind: one of ``HBGPM``
1     u64    first_frame
9     u32    frames
13    u32    channels; in ``P`` the number of the one channel it is for
17    u32    payload length in bytes
====  =====  ===============================================================================================

=====  =============  ======================================================================================
kind   sent by        meaning
=====  =============  ======================================================================================
``H``  bench          hello: what are you?
``H``  far end        first_frame: the next frame to be captured; frames: the rate in Hz; channels; payload: one
                      float64, the far end's time in frames, exactly
``B``  far end        captured block; payload int16 ``(channels, frames)``, channel by channel
``G``  far end        gap: nothing was on any wire for ``frames`` frames; 0 frames: until the next block
``P``  bench          play on one channel from first_frame on; payload int16 ``(frames,)``
``M``  bench          mute: drop all queued output
=====  =============  ======================================================================================

The far end counts frames on its own clock. The bench places them on the common clock by the arrivals: a block cannot
come before its last frame, so the earliest arrival, relative to its frame, is the best estimate.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from offhook.drivers.audio import OnBlock, Samples
from offhook.drivers.audio.history import History
from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceError, DeviceGone, DeviceRefused, DeviceTimeout
from offhook.drivers.links import Link, Wires

HEADER = struct.Struct("<cQIII")
POSITION = struct.Struct("<d")
LARGEST_PAYLOAD = 1 << 26
COPIED = 1 << 14
"""A payload up to so many bytes is a copy; a larger one is a view of what arrived."""
GRID_S = 0.02
SETTLED_S = 0.001
SILENT_S = 2.0
"""A far end sends blocks every 20 ms, or says that none will come; one that does neither for so long is dead."""
HINT = "is the far end still running?"
_INT16 = np.dtype("<i2")


class Message(NamedTuple):
    """One message; ``payload`` is int16 samples."""

    kind: str
    first_frame: int = 0
    frames: int = 0
    channels: int = 0
    payload: bytes | memoryview = b""

    def encode(self) -> bytes:
        """Its bytes on the wire."""
        head = HEADER.pack(self.kind.encode("ascii"), self.first_frame, self.frames, self.channels, len(self.payload))
        return b"".join((head, self.payload))


class PipeProtocol:
    """Bytes in, messages out. Raises ValueError for bytes that are no message; nothing can be trusted afterwards."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Message]:
        """Take what arrived; return the messages it completed."""
        data = self._pending + data if self._pending else data
        found: list[Message] = []
        start = 0
        while len(data) - start >= HEADER.size:
            kind, first_frame, frames, channels, length = HEADER.unpack_from(data, start)
            if kind not in b"HBGPM" or length > LARGEST_PAYLOAD:
                raise ValueError(f"not an audio message: {data[start : start + 8].hex(' ')}")
            stop = start + HEADER.size + length
            if stop > len(data):
                break
            whole = memoryview(data) if length > COPIED else data
            payload = whole[start + HEADER.size : stop]
            found.append(Message(kind.decode(), first_frame, frames, channels, payload))
            start = stop
        self._pending = data[start:] if start < len(data) else b""
        return found


class PipeAudio:
    """The bench's end; see :class:`offhook.drivers.audio.AudioPort`."""

    def __init__(self, name: str, clock: Clock, link: Link, rate_hz: int = 8000, channels: int = 1) -> None:
        """``rate_hz`` and ``channels`` are what the station file says; :meth:`connect` checks them."""
        self.resource = f"audio.{name}"
        self._clock = clock
        self._link = link
        self._rate_hz = rate_hz
        self._channels = channels
        self._protocol = PipeProtocol()
        self._hello: Message | None = None
        self._history = History(self.resource, rate_hz, channels)
        self._captured = 0
        self._idle = False
        self._zero_s = float("inf")  # when frame 0 was on the wire, as far as arrivals tell
        self._listeners: list[OnBlock] = []
        self._lost = ""
        self._heard_s = clock.now_s()
        link.attach(self._take, self._lose)

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """Take hold of the wire; ``options`` are ``link``, ``rate_hz`` and ``channels``."""
        if not options.get("link"):
            raise ConfigError(f"audio.{name}", "open", "no link is named", 'link = "end://rack"')
        link = wires.link(str(options["link"]))
        return cls(name, wires.clock, link, int(options.get("rate_hz", 8000)), int(options.get("channels", 1)))

    @property
    def rate_hz(self) -> int:
        """Frames a second."""
        return self._rate_hz

    @property
    def channels(self) -> int:
        """Channels in each direction."""
        return self._channels

    def connect(self) -> str:
        """Ask the far end what it is, twice, and see that its frame counter moved in between."""
        first = self._ask_hello()
        if (first.frames, first.channels) != (self._rate_hz, self._channels):
            detail = f"it has {first.channels} channels at {first.frames} Hz, not {self._channels} at {self._rate_hz}"
            raise DeviceRefused(self.resource, "connect", detail, "channels and rate_hz in the station file")
        self._clock.sleep(2 * GRID_S)
        if self._ask_hello().payload == first.payload:
            raise DeviceTimeout(self.resource, "connect", "frames do not move", HINT)
        return f"audio pipe, {self._channels} channels, {self._rate_hz} Hz"

    def now_frame(self) -> int:
        """The next frame to be captured. Raises DeviceTimeout if the far end is silent: not even a gap comes."""
        silent_s = self._clock.now_s() - self._heard_s
        if not self._idle and silent_s > SILENT_S:
            raise DeviceTimeout(self.resource, "capture", f"no frames for {silent_s:.1f} s", HINT)
        if self._idle:  # nothing is on any wire: whole cells of the grid count as captured once they have passed
            grid = round(GRID_S * self._rate_hz)
            return max(self._captured, self.frame_at(self._clock.now_s() - SETTLED_S) // grid * grid)
        return self._captured

    def time_of_s(self, frame: int) -> float:
        """When that frame was (will be) on the wire, on the common clock."""
        return self._known_zero_s() + frame / self._rate_hz

    def frame_at(self, time_s: float) -> int:
        """The frame on the wire at a time of the common clock."""
        # a nanosecond of grace: time_of_s(n) must lead back to n
        return int((time_s - self._known_zero_s() + 1e-9) * self._rate_hz)

    def play_at(self, frame: int, channel: int, samples: Samples) -> None:
        """Play on one channel from that frame on; what lies in the past is dropped by the far end."""
        if not 0 <= channel < self._channels:
            raise ConfigError(self.resource, f"play on channel {channel}", f"it has 0 to {self._channels - 1}", "")
        payload = np.ascontiguousarray(samples, dtype=_INT16)
        if payload.ndim != 1:
            raise ValueError(f"samples for one channel have one dimension, not {payload.ndim}")
        if frame < 0:
            payload, frame = payload[-frame:], 0
        self._send(Message("P", frame, len(payload), channel, payload.tobytes()), "play")

    def mute(self) -> None:
        """Drop all queued output at once."""
        self._send(Message("M"), "mute")

    def take(self, start: int, stop: int) -> Samples:
        """Captured frames ``(channels, stop - start)``; skipped ones are zero."""
        return self._history.take(start, stop, self._captured if stop <= self._captured else self.now_frame())

    def subscribe(self, on_block: OnBlock) -> Callable[[], None]:
        """Call ``on_block(first_frame, block)`` for every captured block; blocks are read-only."""
        self._listeners.append(on_block)
        return lambda: self._listeners.remove(on_block) if on_block in self._listeners else None

    def close(self) -> None:
        """Mute and stop."""
        if not self._lost:
            try:
                self.mute()
            except DeviceError:  # the far end has left, and its output with it
                pass
        self._lost = self._lost or "closed by the bench"
        self._link.close()

    def _known_zero_s(self) -> float:
        if self._zero_s == float("inf"):
            raise DeviceTimeout(self.resource, "tell the time of a frame", "nothing has arrived yet", "connect() first")
        return self._zero_s

    def _ask_hello(self) -> Message:
        self._hello = None
        self._send(Message("H"), "connect")
        answer = self._clock.wait_for(lambda: self._lost or self._hello, 1.0)
        if isinstance(answer, str):
            raise DeviceGone(self.resource, "connect", answer, HINT)
        if answer is None:
            raise DeviceTimeout(self.resource, "connect", "no answer within 1 s", HINT)
        return answer

    def _send(self, message: Message, operation: str) -> None:
        if self._lost:
            raise DeviceGone(self.resource, operation, self._lost, HINT)
        try:
            self._link.send(message.encode())
        except DeviceGone as error:
            raise DeviceGone(self.resource, operation, error.detail, HINT) from error

    def _take(self, data: bytes) -> None:
        try:
            for message in self._protocol.feed(data):
                self._heard_s = self._clock.now_s()
                self._message_came(message)
        except (ValueError, struct.error) as error:
            self._lost = str(error)

    def _message_came(self, message: Message) -> None:
        end = message.first_frame + message.frames
        if message.kind == "B":
            self._block_came(message)
        elif message.kind == "G":
            self._place(end)
            self._idle = message.frames == 0
            self._captured = max(self._captured, end)
        elif message.kind == "H":
            self._place(*POSITION.unpack(message.payload))
            self._captured = max(self._captured, message.first_frame)
            self._hello = message

    def _block_came(self, message: Message) -> None:
        if message.channels != self._channels or len(message.payload) != 2 * message.channels * message.frames:
            raise ValueError(f"a block of {message.channels} channels came, not {self._channels}")
        end = message.first_frame + message.frames
        self._place(end)
        block = np.frombuffer(message.payload, dtype=_INT16).reshape(message.channels, message.frames)
        self._idle = False
        self._captured = end
        kept = self._history.add(message.first_frame, block)
        for on_block in list(self._listeners):
            on_block(message.first_frame, kept)

    def _place(self, frame: float) -> None:
        """Something that ends with ``frame`` is here, so that frame is on the wire now or has been."""
        self._zero_s = min(self._zero_s, self._clock.now_s() - frame / self._rate_hz)

    def _lose(self, reason: str) -> None:
        self._lost = reason
