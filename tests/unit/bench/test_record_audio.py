from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from record_standin import RATE_HZ, Bench, digits_audio, silence

from offhook.bench.record import open_run


def frames(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_silent_wire_has_no_file_but_is_known_as_recorded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.port.push(0.0, silence(5.0))
    bench.record.seal()

    with open_run(bench.record.folder) as run:
        assert run.clips() == []
        assert run.recorded() == ["ear", "ivr"]


@pytest.mark.req("BENCH-CLK.1")
def test_a_file_begins_at_the_first_sound_and_holds_exactly_what_was_heard(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    heard = digits_audio("47")
    bench.port.push(0.0, silence(3.0))
    bench.port.push(3.0, heard)
    bench.record.seal()

    with open_run(bench.record.folder) as run:
        [clip] = run.clips()
        assert (clip.file, clip.wire, clip.start_s, clip.rate_hz) == ("audio/ear_0001.wav", "ear", 3.0, RATE_HZ)
    samples = frames(bench.record.folder / clip.file)
    assert len(samples) == clip.frames
    assert np.array_equal(samples[: len(heard)], heard[: len(samples)])
    assert not samples[len(heard) :].any()


def test_a_pause_under_two_seconds_is_kept_and_a_longer_one_begins_a_new_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    end_s = bench.key("4", 1.0)
    end_s = bench.port.push(end_s, silence(1.5))
    end_s = bench.key("7", end_s)
    end_s = bench.port.push(end_s, silence(2.5))
    second_s = end_s
    bench.key("1", second_s)
    bench.record.seal()

    with open_run(bench.record.folder) as run:
        clips = run.clips("ear")
    assert [clip.file for clip in clips] == ["audio/ear_0001.wav", "audio/ear_0002.wav"]
    assert clips[1].start_s == pytest.approx(second_s, abs=1 / RATE_HZ)
    assert clips[0].end_s < second_s - 2.0


@pytest.mark.parametrize(("skipped_s", "files"), [(1.0, 1), (60.0, 2)])
def test_frames_a_port_skipped_were_silent(tmp_path: Path, skipped_s: float, files: int) -> None:
    bench = Bench(tmp_path)
    end_s = bench.key("4", 1.0)
    bench.key("7", end_s + skipped_s)
    bench.record.seal()

    with open_run(bench.record.folder) as run:
        clips = run.clips("ear")
        assert len(clips) == files
        samples, start_s = run.samples(clips[-1], end_s + skipped_s, np.inf)
        assert start_s == pytest.approx(end_s + skipped_s, abs=1 / RATE_HZ)
        assert np.array_equal(samples[:1600], digits_audio("7")[:1600])


def test_headers_are_true_after_every_second_of_audio(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    tone = np.full(RATE_HZ // 2, 1000, np.int16)
    end_s = 0.0
    for half in range(1, 11):
        end_s = bench.port.push(end_s, tone)
        path = bench.record.folder / "audio" / "ear_0001.wav"
        assert len(frames(path)) >= (half * RATE_HZ // 2) - RATE_HZ
    assert path.stat().st_size >= 44 + 2 * 4 * RATE_HZ
    bench.record.close()


def test_wires_do_not_mix(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.key("4", 0.0, channel=0)
    bench.key("7", 1.0, channel=1)
    bench.record.seal()
    ear, ivr = (frames(bench.record.folder / "audio" / f"{wire}_0001.wav") for wire in ("ear", "ivr"))
    assert np.array_equal(ear[:1600], digits_audio("4")[:1600])
    assert np.array_equal(ivr[:1600], digits_audio("7")[:1600])


@pytest.mark.parametrize("wires", [{0: "ear"}, {0: "../ear"}, {0: ""}, {7: "other"}])
def test_a_wire_needs_a_channel_and_a_name_of_its_own(tmp_path: Path, wires: dict[int, str]) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(ValueError, match=r"recording|channels"):
        bench.record.record_audio(bench.port, wires)  # type: ignore[arg-type]
    bench.record.close()
