"""The audio grid: 20 ms blocks, determinism, silence skipped, the price of nothing."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from unit.plant.plant_hands import Hands

from offhook import dsp
from offhook.fixtures import media
from offhook.fixtures.players import Clip, ProgressTone, Quiet
from offhook.fixtures.receivers import EVERY_S, ReceiverBank
from offhook.fixtures.simclock import SimClock
from offhook.fixtures.world import BLOCK, AudioGrid, Impairment, Samples


def recorded(hands: Hands) -> str:
    digest = hashlib.sha256()
    for first, block in hands.blocks:
        digest.update(first.to_bytes(8, "big") + block.tobytes())
    return digest.hexdigest()


def a_day_at_the_office(hands: Hands) -> str:
    hands.call_ivr()
    hands.clock.sleep(4.0)
    hands.press("4711")
    hands.hang_up()
    hands.clock.sleep(30.0)
    hands.lift(2)
    hands.clock.sleep(1.0)
    hands.press("1003", desk=2)
    hands.clock.sleep(3.0)
    return recorded(hands)


def test_the_same_seed_gives_the_same_audio_to_the_bit(build: Callable[..., Hands]) -> None:
    assert a_day_at_the_office(build(seed=7)) == a_day_at_the_office(build(seed=7))


def test_another_seed_gives_other_audio(build: Callable[..., Hands]) -> None:
    assert a_day_at_the_office(build(seed=7)) != a_day_at_the_office(build(seed=8))


@pytest.mark.req("SIM-TIME.1")
def test_ten_idle_minutes_take_no_events(hands: Hands) -> None:
    hands.lift()
    hands.clock.sleep(1.0)
    hands.hang_up()
    hands.clock.sleep(1.0)
    blocks, due = hands.plant.grid.blocks_rendered, hands.clock.next_event_ns()
    assert due is None or due > hands.clock.now_ns() + 1_000_000_000
    hands.clock.sleep(600.0)
    assert hands.plant.grid.blocks_rendered == blocks
    assert hands.now_s == pytest.approx(602.0)


def test_skipped_silence_changes_nothing_that_is_heard_later(build: Callable[..., Hands]) -> None:
    """Noise of a block is the same whether the blocks before it were rendered or not."""

    def noise(earlier: bool) -> Samples:
        hands = build()
        if earlier:
            hands.lift()
            hands.clock.wait_until(1.0)
            hands.hang_up()
        hands.clock.wait_until(2.0)
        hands.lift()
        hands.clock.wait_until(3.0)
        return hands.audio(0, 2.1)

    assert np.array_equal(noise(False), noise(True))


@pytest.fixture
def grid() -> AudioGrid:
    return AudioGrid(SimClock(), seed=1, channels=4)


def constant(value: float) -> Callable[[int, np.ndarray], None]:
    def speak(first: int, out: np.ndarray) -> None:
        out += value

    return speak


SILENT = Impairment(noise_dbm0=-200.0)


def last(grid: AudioGrid, channel: int) -> Samples:
    blocks: list[Samples] = []
    stop = grid.on_rack(lambda first, block: blocks.append(block))
    grid.clock.sleep(0.041)
    stop()
    return blocks[-1][channel]


def test_legs_hear_whom_they_listen_to_and_nobody_else(grid: AudioGrid) -> None:
    legs = [grid.open_leg(f"leg-{index}", SILENT) for index in range(20)]
    for index, leg in enumerate(legs):
        leg.set_speak(constant(500.0 * (index + 1)))
    legs[0].listen_to(legs[13])
    legs[1].listen_to(legs[0])
    for index in range(3):
        legs[index].tap(down=index)
    assert last(grid, 0) == pytest.approx(7000, rel=0.04)  # G.711 steps
    assert last(grid, 1) == pytest.approx(500, rel=0.04)
    assert np.abs(last(grid, 2)).max() < 10
    legs[13].close()
    assert np.abs(last(grid, 0)).max() < 10


def test_sidetone_is_10_db_down_and_a_muted_leg_still_has_it(grid: AudioGrid) -> None:
    leg, other = grid.open_leg("a", SILENT), grid.open_leg("b", SILENT)
    leg.set_speak(constant(8000.0))
    leg.tap(ear=0, mouth=1)
    other.listen_to(leg)
    other.tap(ear=2)
    leg.mute(True)
    assert last(grid, 0) == pytest.approx(8000 * 10 ** (-0.5), abs=2)
    assert last(grid, 1) == pytest.approx(8000, abs=1)
    assert np.abs(last(grid, 2)).max() < 10


def test_a_cut_leg_is_dead_on_every_tap(grid: AudioGrid) -> None:
    leg, other = grid.open_leg("a"), grid.open_leg("b")
    other.set_speak(constant(8000.0))
    leg.set_speak(constant(8000.0))
    leg.listen_to(other)
    leg.tap(ear=0, mouth=1, down=2)
    leg.cut(True)
    assert [int(np.abs(last(grid, channel)).max()) for channel in range(3)] == [0, 0, 0]
    leg.cut(False)
    assert np.abs(last(grid, 0)).max() > 8000


def test_a_wire_hums(grid: AudioGrid) -> None:
    leg, other = grid.open_leg("a", Impairment(hum_dbm0=-20.0, noise_dbm0=-200.0)), grid.open_leg("b", SILENT)
    other.listen_to(leg)
    other.tap(down=0)
    hum = last(grid, 0).astype(float)
    assert np.max(np.abs(hum)) == pytest.approx(media.peak(-20.0), rel=0.35)


def test_a_wire_loses_and_echoes(grid: AudioGrid) -> None:
    wire = Impairment(loss_up_db=6.0, loss_down_db=3.0, echo_db=20.0, noise_dbm0=-200.0)
    leg, other = grid.open_leg("a", wire), grid.open_leg("b", SILENT)
    leg.listen_to(other)
    other.listen_to(leg)
    leg.tap(down=0)
    other.tap(down=1)
    leg.set_speak(constant(8000.0))
    assert np.mean(last(grid, 1)) == pytest.approx(8000 / 2, rel=0.05)
    leg.set_speak(None)
    other.set_speak(constant(16000.0))
    assert last(grid, 0) == pytest.approx(16000 / 2**0.5, rel=0.04)
    assert np.mean(last(grid, 1)) == pytest.approx(16000 / 2**0.5 / 10, rel=0.04)


def test_a_leg_with_an_outside_line_exchanges_blocks(grid: AudioGrid) -> None:
    leg = grid.open_leg("sip", SILENT)
    seen: list[tuple[int, Samples]] = []

    def exchange(first: int, sent: Samples) -> Samples:
        seen.append((first, sent))
        return np.full(BLOCK, 1234, dtype=np.int16)

    leg.exchange = exchange

    leg.set_speak(constant(500.0))
    leg.tap(ear=0)
    ear = last(grid, 0)
    assert ear == pytest.approx(1234 + 500 * 10 ** (-0.5), abs=2)
    assert [first for first, _ in seen] == [0, 160]
    assert seen[0][1] == pytest.approx(500, rel=0.04)


def rendered(player: Clip | ProgressTone | Quiet, blocks: int) -> Samples:
    return np.concatenate([player.render(block * BLOCK) for block in range(blocks)])


@pytest.mark.parametrize("start", [0, 1, 159, 160, 777])
def test_players_start_on_their_frame(start: int) -> None:
    ended: list[int] = []
    clip = Clip(start, np.full(500, 7, dtype=np.int16), lambda: ended.append(1))
    audio = rendered(clip, 10)
    assert np.flatnonzero(audio)[0] == start
    assert np.count_nonzero(audio) == 500
    assert ended == [1]
    tone = rendered(ProgressTone("dial", "US", start), 10)
    assert not tone[:start].any()
    assert tone[start : start + 40].any()


@pytest.mark.parametrize(("name", "region"), [("stutter", "US"), ("busy", "EU"), ("reorder", "US"), ("ringback", "UK")])
def test_a_tone_of_the_world_is_the_tone_of_the_plan(name: str, region: str) -> None:
    whole = dsp.tones.to_int16(dsp.progress.tone(name, region, 12.0, 8000))
    made = rendered(ProgressTone(name, region, 0), 600)
    assert np.abs(whole[: made.size].astype(int) - made).max() <= 2


def test_an_a_law_world_quantizes_by_a_law() -> None:
    assert set(np.unique(media.law_table("A"))) != set(np.unique(media.law_table("mu")))
    assert len(np.unique(media.law_table("A"))) == 256


@pytest.mark.parametrize("noise_dbm0", [-68.0, -50.0, -20.0])
def test_who_only_breathes_is_heard_as_arithmetic_has_it(noise_dbm0: float) -> None:
    """Line loss and sidetone of mere noise come out of tables; here sample by sample, with a speaker between."""
    clock = SimClock()
    grid = AudioGrid(clock, seed=3, channels=3)
    near = grid.open_leg("near", Impairment(loss_down_db=6.0, noise_dbm0=noise_dbm0))
    far = grid.open_leg("far", Impairment(loss_up_db=2.0, noise_dbm0=noise_dbm0))
    near.listen_to(far)
    near.tap(ear=0, down=1, mouth=2)
    blocks: list[tuple[Samples, Samples, bool]] = []
    grid.on_rack(lambda first, rack: blocks.append((rack.astype(np.float64), grid.sent(far), near.player is not None)))
    clock.sleep(0.4)
    far.set_speak(lambda first, out: out.__iadd__(np.float32(9000.0)))
    clock.sleep(0.4)
    far.set_speak(None)
    clock.sleep(0.2)
    near.play(ProgressTone("dial", "US", 0))
    clock.sleep(0.2)
    near.play(None)
    clock.sleep(0.2)
    assert len({block.tobytes() for _, block, _ in blocks}) > 40
    softer = media.loss_table("mu", 6.0)
    for (_, before, _), (rack, _, tone) in itertools.pairwise(blocks):
        ear, down, mouth = rack
        if not tone:
            assert np.array_equal(down, softer.take(before.view(np.uint16)))
        else:
            assert media.rms(-25.0) < down.std() < media.rms(-10.0)
        assert np.abs(ear - np.clip(down + mouth * 10 ** (-10 / 20), -32768, 32767)).max() <= 1.0
        assert mouth.std() == pytest.approx(media.rms(noise_dbm0), rel=0.25)


@pytest.mark.parametrize("same", [True, False])
def test_a_receiver_hears_nothing_of_who_was_on_its_channel_before(grid: AudioGrid, same: bool) -> None:
    """A leg leaves between two looks of the receivers; what it sent last belongs to nobody."""
    heard: list[str] = []
    bank = ReceiverBank(media.RATE_HZ)
    leg = grid.open_leg("first")
    bank.attach(leg, lambda key, ended: None)
    silent = np.zeros((8, BLOCK), dtype=np.int16)
    digit = dsp.tones.to_int16(dsp.encode("5", media.RATE_HZ, on_s=0.06, off_s=0.04))
    sent = [digit[at : at + BLOCK] for at in range(0, digit.size, BLOCK)]
    blocks = round(EVERY_S * media.RATE_HZ / BLOCK)
    for _ in range(blocks - 1):
        bank.feed(silent, silent)
    for number, part in enumerate([*sent[:blocks], *[silent[0]] * 9]):
        if number == blocks and not same:
            bank.detach_leg(leg)
            leg = grid.open_leg("second")
            bank.attach(leg, lambda key, ended: heard.append(key))
        elif number == 0 and same:
            bank.detach_leg(leg)
            bank.attach(leg, lambda key, ended: heard.append(key))
        block = silent.copy()
        block[leg.row] = part
        bank.feed(block, silent)
    assert heard == (["5", "5"] if same else [])
