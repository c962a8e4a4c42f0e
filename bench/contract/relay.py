"""The contract of :class:`offhook.drivers.relay.RelayBoard`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.relay import Guardable, Pulsing, RelayBoard, State, Stateful, reads_back


def _inner(board: RelayBoard) -> object:
    """Behind the gate that a station puts before its boards."""
    return getattr(board, "inner", board)


class RelayContract:
    """Fixtures to give: ``clock``, and ``board``, opened and not connected. Every relay will click."""

    @pytest.fixture
    def connected(self, board: RelayBoard) -> Iterator[RelayBoard]:
        """The board, connected, and safe again afterwards."""
        board.connect()
        yield board
        board.open_all()

    def test_connect_says_what_it_is_and_opens_every_relay(self, board: RelayBoard) -> None:
        assert board.connect()
        assert board.read_all() == (False,) * board.channels

    def test_connect_opens_relays_that_were_left_closed(self, board: RelayBoard) -> None:
        board.connect()
        board.set(0, True)
        board.connect()
        assert board.read_all() == (False,) * board.channels

    def test_each_relay_switches_alone(self, connected: RelayBoard) -> None:
        for relay in range(connected.channels):
            connected.set(relay, True)
            assert connected.read_all() == tuple(each == relay for each in range(connected.channels))
            connected.set(relay, False)
        assert connected.read_all() == (False,) * connected.channels

    def test_commands_may_be_repeated(self, connected: RelayBoard) -> None:
        for closed in (True, True, False, False):
            connected.set(0, closed)
            assert connected.read_all()[0] is closed

    def test_open_all_opens_all(self, connected: RelayBoard) -> None:
        for relay in range(connected.channels):
            connected.set(relay, True)
        assert all(connected.read_all())
        connected.open_all()
        assert not any(connected.read_all())

    def test_every_acknowledged_command_is_told_with_its_times(self, connected: RelayBoard, clock: Clock) -> None:
        told: list[tuple[int, bool, float, float]] = []
        connected.on_switch(lambda *switched: told.append(switched))
        before_s, last = clock.now_s(), connected.channels - 1
        connected.set(last, True)
        connected.open_all()
        assert [(relay, closed) for relay, closed, _, _ in told] == [(last, True), (last, False)]
        times_s = [before_s, *(time_s for each in told for time_s in each[2:]), clock.now_s()]
        assert times_s == sorted(times_s)

    def test_a_relay_it_has_not_is_refused(self, connected: RelayBoard) -> None:
        for relay in (-1, connected.channels):
            with pytest.raises(ConfigError):
                connected.set(relay, True)

    def test_two_jobs_share_a_board(self, connected: RelayBoard, clock: Clock) -> None:
        def blink(relay: int) -> int:
            for closed in (True, False, True):
                connected.set(relay, closed)
                assert connected.read_all()[relay] is closed
            return relay

        relays = sorted({0, connected.channels - 1})
        jobs = [clock.spawn(lambda relay=relay: blink(relay)) for relay in relays]  # type: ignore[misc]
        assert [job.join(30.0) for job in jobs] == relays
        assert [relay for relay, closed in enumerate(connected.read_all()) if closed] == relays

    def test_commanded_reported_and_observed_are_kept_apart(self, connected: RelayBoard) -> None:
        if not isinstance(connected, Stateful) or not isinstance(_inner(connected), Stateful):
            return  # optional
        connected.set(0, True)
        assert connected.states[0] == State(commanded=True)
        connected.read_all()
        connected.observe(0, False)
        seen = connected.states[0]
        assert seen == State(True, True if reads_back(connected) else None, False)
        assert not seen.agrees
        connected.set(0, False)
        assert connected.states[0] == State(commanded=False)

    def test_a_closure_that_the_board_times_ends_by_itself(self, connected: RelayBoard, clock: Clock) -> None:
        if not isinstance(connected, Pulsing) or connected.pulse_step_s is None:
            return  # optional
        step_s = connected.pulse_step_s
        connected.pulse(0, 2 * step_s)
        assert connected.read_all()[0]
        clock.sleep(3 * step_s)
        assert not any(connected.read_all())
        with pytest.raises(ConfigError):
            connected.pulse(0, 0.4 * step_s)

    def test_its_guardian_is_told_what_to_send(self, connected: RelayBoard) -> None:
        board = _inner(connected)
        assert isinstance(board, Guardable)
        action = board.safe_action()
        assert action.address
        assert action.sent
        assert bool(action.expected) == reads_back(connected)

    def test_a_closed_board_is_gone(self, board: RelayBoard) -> None:
        board.connect()
        board.close()
        with pytest.raises(DeviceGone):
            board.set(0, True)
