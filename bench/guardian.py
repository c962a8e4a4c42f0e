"""The bench's side of its guardian: a child process that makes relays and generators safe when the bench cannot.

It exists for wires that another process can open (``Wires.guarded``). Each board and generator is armed before it is
connected and disarmed once the bench itself has read its safe state back. Heartbeats are a timer of the clock, so they
come while somebody waits on it, however long, and stay out when a job hangs while it holds the turn. The limit is
strict (``hung_s``) while a relay is away from its safe position or a generator sends, and :data:`AT_REST_S` otherwise:
a bench that decodes an hour of audio with every handset down is no danger.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offhook.bench.station_gate import GatedBoard, GatedGenerator
from offhook.drivers.clock import Clock, Timer
from offhook.drivers.errors import DeviceGone
from offhook.drivers.links import Grade, Link, Wires
from offhook.drivers.relay import Guardable
from offhook.drivers.safe_action import SafeAction
from offhook.drivers.visa import GuardableOutput

if TYPE_CHECKING:
    import httpx

AT_REST_S = 60.0
"""A bench whose relays are all in their safe position, and whose generators are off, may be silent for so long."""
REQUEST_S = 30.0
"""A request to the cloud blocks the bench; it has limits of its own that are shorter."""
START_S = 20.0
ANSWER_S = 10.0
FINISH_S = 3.0
"""How long the guardian tries what the bench could not make safe itself."""
SERIAL_BAUD = 115200
OUTPUT = -1
"""In place of a relay's number: what a generator sends."""
RESOURCE = "guardian"


class GuardianGone(DeviceGone):
    """Nobody would make relays and generators safe if the bench died now, so nothing is switched any more."""


class Guardian:
    """Starts the process; :meth:`arm`, :meth:`watch` and :meth:`disarm` boards and generators; :meth:`end` it.

    ``lost`` is the error once the guardian was found dead; it is raised in whoever waits on the clock then, and again
    before everything that leads away from the safe state. ``leaving`` is set on the way out.
    """

    def __init__(self, clock: Clock, hung_s: float) -> None:
        """Raises GuardianGone if the process does not start."""
        self.lost: GuardianGone | None = None
        self.leaving = False
        self.look: Callable[[], None] = lambda: None
        """Asked with every beat until ``leaving``; what it raises is raised in whoever waits on the clock."""
        self._clock = clock
        self._hung_s = hung_s
        self._armed: set[str] = set()
        self._away: set[tuple[str, int]] = set()
        self._unanswered: deque[float] = deque()
        self._timer: Timer | None = None
        # a session of its own, nothing of ours but one pipe each way, no folder of ours held, no module of a lab's
        # own folder taken for one of ours
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "offhook.bench.guardian_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self._wait_until_it_listens()
        self._beat()

    @property
    def armed(self) -> list[str]:
        """What it would make safe."""
        return sorted(self._armed)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def arm(self, resource: str, board: object, closed: Collection[int], baud: int | None) -> bool:
        """Arm a board; ``closed`` are the relays closed when safe. False if its driver does not say how."""
        if not isinstance(board, Guardable):
            return False
        self._arm(resource, board.safe_action(closed), baud)
        return True

    def arm_generator(self, resource: str, generator: object) -> str:
        """Arm a generator. Returns why it cannot, and what to do then; "" if it is armed."""
        if not isinstance(generator, GuardableOutput):
            return "its driver has no safe_action: set its own output timer or limit"
        action = generator.safe_action()
        if action is None:
            return "only VISA reaches it: use its tcp:// or hislip:// port, or set its own output timer or limit"
        self._arm(resource, action, None)
        return ""

    def _arm(self, resource: str, action: SafeAction, baud: int | None) -> None:
        order = {"arm": resource, "address": action.address, "baud": baud or action.baud or SERIAL_BAUD}
        before = [[step.sent.hex(), step.expected.hex(), step.pause_s] for step in action.before]
        last = {"send": action.sent.hex(), "expect": action.expected.hex(), "length": action.length}
        self._tell({**order, **last, "before": before, "locked": action.locked})
        self._armed.add(resource)

    def disarm(self, resource: str) -> None:
        """The bench has read its safe state back."""
        if resource in self._armed:
            self._armed.discard(resource)
            with contextlib.suppress(GuardianGone):  # it has nothing more to do for this one
                self._tell({"disarm": resource})

    def let_go(self, safe: Iterable[str]) -> None:
        """On the way out: these were read back as safe. The rest is its own once the bench has closed the wires."""
        for resource in safe:
            self.disarm(resource)
        self._away.clear()
        with contextlib.suppress(GuardianGone):
            self._tell(self._lease(AT_REST_S))
        if self._timer is not None:
            self._timer.cancel()

    def watch(self, resource: str, gate: GatedBoard, closed: Collection[int]) -> None:
        """Be strict with the bench while a relay of this board is away from its safe position."""
        if resource not in self._armed:
            return

        def leaving(relay: int, is_closed: bool) -> None:
            if is_closed != (relay in closed):
                self._leaves(resource, relay)

        def switched(relay: int, is_closed: bool, sent_s: float, acked_s: float) -> None:
            if is_closed == (relay in closed):
                self._is_back(resource, relay)

        gate.before_command = leaving
        gate.on_switch(switched)

    def watch_output(self, resource: str, gate: GatedGenerator) -> None:
        """Be strict with the bench from before this generator sends until it was read back as off."""
        if resource in self._armed:
            gate.before_output = lambda: self._leaves(resource, OUTPUT)
            gate.after_output = lambda: self._is_back(resource, OUTPUT)

    def _leaves(self, resource: str, which: int) -> None:
        self._away.add((resource, which))
        self._tell(self._lease())

    def _is_back(self, resource: str, which: int) -> None:
        if (resource, which) in self._away:
            self._away.discard((resource, which))
            with contextlib.suppress(GuardianGone):
                self._tell(self._lease())

    def expect_silence(self, duration_s: float) -> None:
        """The bench is about to block outside of the clock, for that long at most."""
        with contextlib.suppress(GuardianGone):  # the next beat raises it
            self._tell(self._lease(duration_s))

    def note_folder(self, folder: Path) -> None:
        """Name the run folder, where ``guardian.json`` will be."""
        zero_s = time.monotonic() - self._clock.now_s()
        self._tell({"folder": str(folder.absolute()), "zero_s": zero_s})

    def end(self) -> None:
        """Let it go; what is still armed it tries first, for a few seconds."""
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(GuardianGone):
            self._tell({"finish": FINISH_S})
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(FINISH_S + ANSWER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    # ---- heartbeats --------------------------------------------------------------------------------------------

    def _lease(self, at_least_s: float = 0.0) -> dict[str, Any]:
        """How long the bench may be silent from now on."""
        limit_s = self._hung_s if self._away else AT_REST_S
        return {"beat": max(limit_s, at_least_s), "at_rest": not self._away}

    def _beat(self) -> None:
        """On the bench's thread, while somebody waits."""
        with contextlib.suppress(GuardianGone):
            self._tell(self._lease())
        if self.lost is None:
            self._timer = self._clock.call_at(self._clock.now_s() + self._hung_s / 4, self._beat)
        if self.leaving:
            return
        if self.lost is not None:
            raise self.lost
        self.look()

    def _tell(self, order: Mapping[str, Any]) -> None:
        """One line, never waiting. Raises GuardianGone."""
        if self.lost is not None:
            raise self.lost
        stdin = self._process.stdin
        try:
            if stdin is None or stdin.closed:
                raise BrokenPipeError("its pipe is closed")
            self._take_answers()
            os.write(stdin.fileno(), json.dumps(order).encode() + b"\n")
            self._unanswered.append(time.monotonic())
        except OSError as error:
            code = self._process.poll()
            raise self._gone("its process does not listen" if code is None else f"it ended ({code})") from error

    def _take_answers(self) -> None:
        stdout = self._process.stdout
        answers = b""
        if stdout is not None:
            with contextlib.suppress(BlockingIOError):
                answers = os.read(stdout.fileno(), 65536)
                if not answers:
                    raise BrokenPipeError("it has ended")
        for _ in answers:
            self._unanswered.popleft()
        if self._unanswered and time.monotonic() - self._unanswered[0] > ANSWER_S:
            raise TimeoutError("it does not answer")

    def _wait_until_it_listens(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        ready = stdout is not None and select.select([stdout], [], [], START_S)[0]
        if stdin is None or stdout is None or not ready or os.read(stdout.fileno(), 1) != b".":
            self._process.kill()
            self.end()
            raise self._gone(f"it did not start within {START_S:g} s")
        os.set_blocking(stdin.fileno(), False)
        os.set_blocking(stdout.fileno(), False)

    def _gone(self, detail: str) -> GuardianGone:
        hint = "start again; who ended it? (out of memory: dmesg)"
        self.lost = GuardianGone(RESOURCE, "watch over relays and generators", detail, hint)
        return self.lost


@contextmanager
def watched(wires: Wires, clock: Clock, hung_s: float) -> Iterator[Guardian | None]:
    """A guardian for wires that another process can open, None for others."""
    if not wires.guarded:
        yield None
        return
    guardian = Guardian(clock, hung_s)
    try:
        yield guardian
    finally:
        guardian.end()


class PatientWires:
    """The same wires, for a driver whose HTTP requests block the bench: the guardian is told before each."""

    guarded = True

    def __init__(self, wires: Wires, guardian: Guardian) -> None:
        self.clock: Clock = wires.clock
        self.grade: Grade = wires.grade
        self.link: Callable[..., Link] = wires.link
        self.close = wires.close
        self._wires = wires
        self._guardian = guardian

    def http(self, address: str) -> tuple[str, httpx.BaseTransport | None]:
        """As the wires under it."""
        import httpx

        guardian = self._guardian

        class Patient(httpx.BaseTransport):
            def __init__(self, inner: httpx.BaseTransport) -> None:
                self._inner = inner

            def handle_request(self, request: httpx.Request) -> httpx.Response:
                guardian.expect_silence(REQUEST_S)
                return self._inner.handle_request(request)

            def close(self) -> None:
                self._inner.close()

        url, transport = self._wires.http(address)
        return url, Patient(transport or httpx.HTTPTransport())
