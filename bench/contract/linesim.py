"""The contract of :class:`offhook.drivers.linesim.LineSimulator`."""

from __future__ import annotations

import pytest

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError
from offhook.drivers.linesim import LineSimulator

NO_COMMAND = 999
"""No box has as many."""


class LineSimulatorContract:
    """Fixtures to give: ``clock``, and ``box``, opened and not connected."""

    def test_connect_says_what_it_is(self, box: LineSimulator) -> None:
        assert box.connect()

    def test_connecting_again_finds_the_same(self, box: LineSimulator) -> None:
        assert box.connect() == box.connect()

    def test_what_it_has_not_is_refused_before_its_line_is_seized(self, box: LineSimulator, clock: Clock) -> None:
        box.connect()
        before_s = clock.now_s()
        with pytest.raises(ConfigError):
            box.program(NO_COMMAND, 1)
        assert clock.now_s() - before_s < 0.5

    def test_it_may_be_closed_twice(self, box: LineSimulator) -> None:
        box.connect()
        box.close()
        box.close()
