import signal
from pathlib import Path

import pytest
from rig_standin import StandInEnd

from offhook.bench import signals
from offhook.bench.signals import Terminated, orderly_end
from offhook.bench.station import open_rig
from offhook.fixtures.simclock import SimClock


def test_term_is_an_exception_that_unwinds() -> None:
    unwound: list[str] = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            unwound.append("finally")

    with orderly_end() as ending, pytest.raises(Terminated, match="SIGTERM"):
        work()

    assert unwound == ["finally"]
    assert ending.exit_code == 143


def test_ctrl_c_is_a_keyboard_interrupt_and_130() -> None:
    with orderly_end() as ending, pytest.raises(KeyboardInterrupt) as caught:
        signal.raise_signal(signal.SIGINT)

    assert not isinstance(caught.value, Terminated)
    assert ending.exit_code == 130


def test_ctrl_c_is_taken_even_if_the_shell_had_it_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), orderly_end():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_handlers_found_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    with orderly_end():
        assert signal.getsignal(signal.SIGTERM) != before[1]

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert signals.current().signum is None


def test_an_impatient_second_signal_does_not_interrupt_the_way_out() -> None:
    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)

    with orderly_end() as ending, pytest.raises(Terminated):
        work()

    assert ending.exit_code == 143


def test_a_shield_holds_a_signal_back_until_its_end() -> None:
    done: list[str] = []

    def work() -> None:
        with ending.shielded():
            signal.raise_signal(signal.SIGTERM)
            done.append("inside")
        done.append("after")

    with orderly_end() as ending, pytest.raises(Terminated):
        work()

    assert done == ["inside"]


def test_an_inner_one_shares_the_outer() -> None:
    with orderly_end() as outer:
        with orderly_end() as inner:
            assert inner is outer
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGTERM)
        assert outer.exit_code == 143


@pytest.mark.parametrize("where", ["job", "world"])
def test_a_signal_inside_a_job_or_the_world_ends_the_run_not_the_job(where: str) -> None:
    clock = SimClock()
    went_on: list[str] = []

    def hit() -> None:
        signal.raise_signal(signal.SIGTERM)
        went_on.append(where)

    if where == "job":
        clock.spawn(hit)
    else:
        clock.call_at(0.5, hit)
    with orderly_end() as ending:
        ending.attach(clock)
        with pytest.raises(Terminated):
            clock.sleep(10.0)

    assert went_on == [where]
    assert clock.now_s() < 1.0
    clock.sleep(5.0)  # the world is whole
    assert clock.now_s() >= 5.0


@pytest.mark.req("BENCH-RUN.3")
def test_term_in_mid_call_reaches_the_safe_state(small: Path, standin: StandInEnd) -> None:
    def call() -> None:
        with open_rig(small) as rig:
            rig.relays["one"].set(8, True)
            rig.clock.call_at(rig.clock.now_s() + 1.0, lambda: signal.raise_signal(signal.SIGTERM))
            rig.clock.sleep(60.0)

    with orderly_end(), pytest.raises(Terminated) as caught:
        call()

    assert not any(standin.opened[0].boards["one"].closed)
    assert "safe state reached and read back" in "".join(caught.value.__notes__)
