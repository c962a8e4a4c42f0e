"""The contract of :class:`offhook.drivers.relay.RelayBoard`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.relay import RelayBoard


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
            connected.set(1, closed)
            assert connected.read_all()[1] is closed

    def test_open_all_opens_all(self, connected: RelayBoard) -> None:
        for relay in range(connected.channels):
            connected.set(relay, True)
        assert all(connected.read_all())
        connected.open_all()
        assert not any(connected.read_all())

    def test_every_acknowledged_command_is_told_with_its_times(self, connected: RelayBoard, clock: Clock) -> None:
        told: list[tuple[int, bool, float, float]] = []
        connected.on_switch(lambda *switched: told.append(switched))
        before_s = clock.now_s()
        connected.set(2, True)
        connected.open_all()
        assert [(relay, closed) for relay, closed, _, _ in told] == [(2, True), (2, False)]
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

        jobs = [clock.spawn(lambda relay=relay: blink(relay)) for relay in (0, 3)]  # type: ignore[misc]
        assert [job.join(30.0) for job in jobs] == [0, 3]
        assert connected.read_all()[:4] == (True, False, False, True)

    def test_a_closed_board_is_gone(self, board: RelayBoard) -> None:
        board.connect()
        board.close()
        with pytest.raises(DeviceGone):
            board.set(0, True)
