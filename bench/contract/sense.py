"""The contract of :class:`offhook.drivers.sense.SenseInputs`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone
from offhook.drivers.sense import SenseInputs

Drive = Callable[[bool], None]
WITHIN_S = 1.0


class SenseContract:
    """Fixtures to give: ``clock``, ``inputs``, opened and not connected, ``pin``, and its ``drive(active)``."""

    @pytest.fixture
    def connected(self, inputs: SenseInputs) -> SenseInputs:
        """The board, connected."""
        inputs.connect()
        return inputs

    def test_connect_says_what_it_is(self, inputs: SenseInputs) -> None:
        assert inputs.connect()

    def test_level_follows_the_sensor(self, connected: SenseInputs, pin: int, drive: Drive, clock: Clock) -> None:
        for active in (False, True, False):
            drive(active)
            assert clock.wait_for(lambda active=active: connected.active(pin) is active, WITHIN_S)  # type: ignore[misc]

    def test_level_before_connecting_is_known_after_it(
        self, inputs: SenseInputs, pin: int, drive: Drive, clock: Clock
    ) -> None:
        inputs.connect()
        drive(True)
        clock.wait_for(lambda: inputs.active(pin), WITHIN_S)
        inputs.connect()
        assert inputs.active(pin)

    def test_every_edge_is_told_once_with_its_time(
        self, connected: SenseInputs, pin: int, drive: Drive, clock: Clock
    ) -> None:
        drive(False)
        clock.sleep(WITHIN_S)
        edges: list[tuple[bool, float]] = []
        connected.subscribe(pin, lambda active, time_s: edges.append((active, time_s)))
        before_s = clock.now_s()
        for active in (True, False):
            drive(active)
            clock.sleep(WITHIN_S)
        assert [active for active, _ in edges] == [True, False]
        times_s = [before_s, *(time_s for _, time_s in edges), clock.now_s()]
        assert times_s == sorted(times_s)

    def test_a_pin_it_has_not_is_refused(self, connected: SenseInputs) -> None:
        with pytest.raises(ConfigError):
            connected.active(127)
        with pytest.raises(ConfigError):
            connected.subscribe(127, lambda active, time_s: None)

    def test_a_closed_board_is_gone(self, connected: SenseInputs, pin: int) -> None:
        connected.close()
        with pytest.raises(DeviceGone):
            connected.active(pin)
