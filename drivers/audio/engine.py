"""A sound card's own process: ``python -m offhook.drivers.audio.engine OPTIONS`` (JSON), driven by a pipe.

PortAudio is kept out of the bench's process because it can hang where it stops, die without a word and say what is
wrong on the error output only. Here a hang ends with the process, the error output is the bench's to read, and no work
of the bench holds up the card.

Messages have the header of :mod:`offhook.drivers.audio.pipe`; their kinds are

====  =========  ==============================================================================================
kind  sent by    meaning
====  =========  ==============================================================================================
``H``  engine     the stream runs; payload: JSON, what it runs on
``B``  engine     captured block; payload: float64, when frame 0 was on the wire had this block come at once (monotonic
                  clock), then int16 ``(channels, frames)``
``X``  engine     frames were lost or not played around first_frame; payload: what PortAudio calls it
``L``  engine     the pilot came back whole up to first_frame; payload: float64, its lag in frames
``E``  engine     its last message; payload: JSON kind (busy, gone, timeout, refused, config), operation, detail, hint
``P``  bench      play on one channel from first_frame on; payload int16 ``(frames,)``
``M``  both       drop all queued output; the engine answers when it is done
``T``  bench      start the pilot on channel ``channels``; payload: float64, the lag it must have, in frames
====  =========  ==============================================================================================
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import threading
import time
from collections import deque
from typing import Any, BinaryIO, NoReturn

import numpy as np

from offhook.drivers.audio import holders
from offhook.drivers.audio.devices import Card, Refused, find_device
from offhook.drivers.audio.framing import Message, read_message
from offhook.drivers.audio.pilot import PilotWatch, Strayed
from offhook.drivers.audio.player import Player
from offhook.drivers.audio.resample import BLOCKS_A_SECOND, Resampler

TICK_S = 0.05
STILL_TICKS = 10
"""No frame in so many ticks (0.5 s) and the card has stopped. Ticks, not seconds: a machine that had no time for this
process had none for the card's callbacks either."""
START_TICKS = 20
MOVING_BLOCKS = 3
LEAVE_S = 0.5
UNAVAILABLE = -9985
"""PortAudio's code for a device that is there and cannot be had."""
PRIORITY = -11
NUMBER = struct.Struct("<d")


def reason_of(error: Exception) -> str:
    """What PortAudio, or the system under it, says of an error; without the place in its source."""
    host = error.args[2] if len(error.args) > 2 else None
    if isinstance(host, tuple) and len(host) == 3:
        return f"{str(host[2]).partition(' (Expression')[0]} (error {host[1]})"
    return str(error)


class Engine:
    """One PortAudio stream, all channels, always on."""

    def __init__(self, options: dict[str, Any], out: BinaryIO) -> None:
        self._options = options
        self._out = out
        self._writing = threading.Lock()
        self._channels = int(options["channels"])
        self._bench_hz, self._card_hz = int(options["rate_hz"]), int(options["card_hz"])
        gains = [10 ** (gain_db / 20) for gain_db in options["play_gain_db"]]
        self._player = Player(self._bench_hz, self._card_hz, gains)
        self._heard = Resampler(self._card_hz, self._bench_hz)
        self._hear_gains = 10 ** (np.asarray(options["hear_gain_db"])[:, np.newaxis] / 20)
        self._unity = bool(np.all(self._hear_gains == 1.0))
        self._captured: deque[tuple[int, float, bytes, str]] = deque()
        self._window: deque[tuple[float, Any]] = deque(maxlen=3)
        self._wake = threading.Event()
        self._blocks = 0
        self._pilot: PilotWatch | None = None
        self._stream: Any = None

    # ---- on PortAudio's thread ---------------------------------------------------------------------------------

    def _callback(self, indata: Any, outdata: Any, frames: int, when: Any, status: Any) -> None:
        number, self._blocks = self._blocks, self._blocks + 1
        outdata[:] = self._player.block(number)
        self._captured.append((number, time.monotonic(), bytes(indata), str(status) if status else ""))
        self._wake.set()

    # ---- on the main thread ------------------------------------------------------------------------------------

    def run(self) -> NoReturn:
        """Open, start, and pass blocks on until the bench leaves or the card does."""
        try:
            self._start()
            self._pass_on()  # never returns
        except Refused as error:
            self._end({"kind": error.kind, "operation": error.operation, "detail": error.detail, "hint": error.hint})

    def _start(self) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            hint = "install PortAudio and sounddevice (Debian: apt-get install libportaudio2 libasound2-plugins)"
            raise Refused("config", "load PortAudio", str(error), hint) from error
        card = find_device(sounddevice, str(self._options["device"]), str(self._options["host_api"]))
        try:
            self._stream = sounddevice.RawStream(
                samplerate=self._card_hz,
                blocksize=self._card_hz // BLOCKS_A_SECOND,
                device=(card.input, card.output),
                channels=self._channels,
                dtype="int16",
                latency=float(self._options["latency_s"]),
                callback=self._callback,
            )
            self._stream.start()
        except Exception as error:  # PortAudioError and what cffi makes of its arguments
            raise self._not_opened(card, error) from error
        ticks = 0
        while self._blocks < MOVING_BLOCKS:
            ticks += 1
            if ticks > START_TICKS or not self._stream.active:
                raise Refused("timeout", "start", "frames do not move", "is the sound server alive?")
            self._wake.wait(TICK_S)
            self._wake.clear()
        latency_s = [float(part) for part in self._stream.latency]
        hello = {"name": card.name, "host_api": card.host_api, "physical": card.physical, "latency_s": latency_s}
        self._send(Message("H", payload=json.dumps(hello).encode()))

    def _not_opened(self, card: Card, error: Exception) -> Refused:
        """Why: somebody has the card, as far as can be found out, or it does not take what we ask of it."""
        detail = f'"{card.name}" ({card.host_api}): {reason_of(error)}'
        fits = f"does it take {self._channels} channels in and out at {self._card_hz} Hz?"
        held = holders.of_hardware(card.name) or ([] if card.physical else holders.of_sound_server())
        if held:
            hint = (
                f"end that program, or its pass-through stream; {fits} See fuser -v /dev/snd/*, pactl list sink-inputs"
            )
            return Refused("busy", "open", f"{detail}; in use by {', '.join(held)}", hint)
        if UNAVAILABLE in error.args:
            return Refused(
                "busy", "open", detail, "which program has it? See fuser -v /dev/snd/*, pactl list sink-inputs"
            )
        return Refused("gone", "open", detail, f"{fits} Does the sound server still have it (pactl list short sinks)?")

    def _pass_on(self) -> NoReturn:
        still = 0
        while True:
            self._wake.wait(TICK_S)
            self._wake.clear()
            if not self._captured:
                still += 1
                if not self._stream.active:
                    raise Refused("gone", "run", "the stream ended by itself", "was the sound server stopped?")
                if still >= STILL_TICKS:
                    detail = f"no frame for {STILL_TICKS * TICK_S:g} s"
                    raise Refused("gone", "run", detail, "is the sound server frozen, or the card unplugged?")
            while self._captured:
                still = 0
                self._block(*self._captured.popleft())

    def _block(self, number: int, at_s: float, data: bytes, status: str) -> None:
        if status:
            if self._pilot is not None:
                self._pilot.lost()
            self._send(Message("X", number * self._heard.given, self._heard.given, 0, status.encode()))
        block = np.frombuffer(data, dtype=np.int16).reshape(-1, self._channels).T
        self._window.append((at_s - (number + 1) / BLOCKS_A_SECOND, block))
        if len(self._window) < 3:
            return
        samples = self._heard.block(np.concatenate([block for _, block in self._window], axis=1))
        if not self._unity:
            samples = np.clip(np.rint(samples * self._hear_gains), -32768, 32767).astype(np.int16)
        first, count = (number - 1) * self._heard.given, self._heard.given
        zero_s = min(zero_s for zero_s, _ in self._window)
        payload = NUMBER.pack(zero_s) + np.ascontiguousarray(samples).tobytes()
        self._send(Message("B", first, count, self._channels, payload))
        if self._pilot is not None:
            try:
                for period in self._pilot.hear(first, samples):
                    if period.damage:
                        self._send(Message("X", period.start, period.stop - period.start, 0, period.damage.encode()))
                    else:
                        self._send(Message("L", period.stop, payload=NUMBER.pack(period.lag)))
            except Strayed as error:
                raise Refused("gone", "hear the pilot", str(error), "was the device removed, or rerouted?") from error

    # ---- on the thread that reads ------------------------------------------------------------------------------

    def obey(self, source: BinaryIO) -> None:
        """Do what the bench says until it leaves."""
        while True:
            message = read_message(source)
            if message is None:
                self.leave()
            if message.kind == "P":
                self._player.add(message.first_frame, message.channels, np.frombuffer(message.payload, np.int16))
            elif message.kind == "M":
                self._player.mute()
                self._send(Message("M"))
            elif message.kind == "T":
                (lag,) = NUMBER.unpack(message.payload)
                watch = PilotWatch(self._bench_hz, message.channels, lag)
                self._player.start_pilot(message.channels, watch.pilot)
                self._pilot = watch

    def leave(self) -> NoReturn:
        """End the process; a PortAudio that hangs where it stops is left behind."""
        self._player.mute()
        stopper = threading.Thread(target=self._stop, daemon=True)
        stopper.start()
        stopper.join(LEAVE_S)
        os._exit(0)

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)

    def _end(self, why: dict[str, str]) -> NoReturn:
        self._send(Message("E", payload=json.dumps(why).encode()))
        self.leave()

    def _send(self, message: Message) -> None:
        try:
            with self._writing:
                self._out.write(message.encode())
                self._out.flush()
        except OSError:  # the bench is gone
            os._exit(0)


def main() -> NoReturn:
    """Start from the command line; standard output is the bench's, what libraries print goes to the error output."""
    with contextlib.suppress(OSError):  # only root may; a card that is served late loses frames
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    engine = Engine(json.loads(sys.argv[1]), out)
    threading.Thread(target=engine.obey, args=(sys.stdin.buffer,), daemon=True).start()
    engine.run()


if __name__ == "__main__":
    main()
