"""``offhook dtmf`` on files made by SoX, and on files that are not audio."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from offhook import dsp
from offhook.bench.cli_dtmf import dtmf

PAIRS = {"1": (697, 1209), "5": (770, 1336), "9": (852, 1477), "D": (941, 1633), "0": (941, 1336), "#": (941, 1477)}


def run(*args: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(dtmf, [str(arg) for arg in args], input=stdin)


def sox_digits(path: Path, keys: str, *options: str, rate: int = 8000) -> Path:
    """Tones of 80 ms, 70 ms apart, made by SoX alone; options are the output file's."""
    parts = []
    for place, key in enumerate(keys):
        low, high = PAIRS[key]
        part = path.with_name(f"{path.stem}-{place}.wav")
        synth = ["synth", "0.08", "sine", str(low), "synth", "0.08", "sine", "mix", str(high), "gain", "-12"]
        subprocess.run(["sox", "-n", "-r", str(rate), "-b", "32", str(part), *synth, "pad", "0.03", "0.04"], check=True)
        parts.append(str(part))
    subprocess.run(["sox", *parts, *options, str(path)], check=True)
    return path


FORMATS = {
    "pcm16": ["-b", "16", "-e", "signed-integer"],
    "pcm8": ["-b", "8", "-e", "unsigned-integer"],
    "pcm24": ["-b", "24", "-e", "signed-integer"],
    "pcm32": ["-b", "32", "-e", "signed-integer"],
    "float32": ["-b", "32", "-e", "floating-point"],
    "float64": ["-b", "64", "-e", "floating-point"],
    "alaw": ["-e", "a-law"],
    "ulaw": ["-e", "u-law"],
}


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("form", FORMATS)
def test_reads_what_sox_makes(tmp_path: Path, rate: int, form: str) -> None:
    path = sox_digits(tmp_path / "made.wav", "159D0##", *FORMATS[form], rate=rate)
    result = run("decode", str(path))
    assert result.output == "159D0##\n"
    assert result.exit_code == 0


def test_stereo_channels_and_json(tmp_path: Path) -> None:
    left = sox_digits(tmp_path / "left.wav", "159", "-b", "16")
    right = sox_digits(tmp_path / "right.wav", "D0#", "-b", "16")
    both = tmp_path / "both.wav"
    subprocess.run(["sox", "-M", str(left), str(right), "-b", "24", str(both)], check=True)
    assert run("decode", str(both)).output == "channel 1: 159\nchannel 2: D0#\n"
    document = json.loads(run("decode", str(both), "--json").output)
    assert document["text"] == ["159", "D0#"]
    assert document["channels"] == 2
    assert document["encoding"] == "PCM 24-bit"
    first = document["digits"][0]
    assert first["key"] == "1"
    assert abs(first["start_s"] - 0.03) < 0.002
    assert abs(first["low_hz"] - 697) < 1


def test_explain_says_why(tmp_path: Path) -> None:
    short = dsp.encode_spans("5", on_s=0.021, lead_s=0.1).samples
    weak = dsp.encode_spans("6", on_s=0.1, lead_s=0.1, level_high_dbm0=-30).samples
    dsp.wav.write(tmp_path / "x.wav", np.concatenate((short, weak, dsp.encode("1"), np.zeros(800))), 8000)
    output = run("decode", str(tmp_path / "x.wav"), "--explain").output
    lines = output.splitlines()
    assert len(lines) == 3
    assert re.search(r"5\?  rejected: 2[012] ms is shorter than 30.5 ms", lines[0])
    assert "6?  rejected: low 19.0 dB stronger than high" in lines[1]
    assert " 1   " in lines[2]
    assert "high +2.0 dB" in lines[2]


def test_standard_input_streams(tmp_path: Path) -> None:
    x = dsp.to_int16(np.concatenate((np.zeros(400), dsp.encode("0123456789*#ABCD"))))
    code = "from offhook.bench.cli_dtmf import dtmf; dtmf()"
    command = [sys.executable, "-c", code, "decode", "-"]
    done = subprocess.run(command, input=x.astype("<i2").tobytes(), capture_output=True, check=True)
    assert done.stdout.decode() == "0123456789*#ABCD\n"


def piped(content: bytes, *options: str) -> subprocess.CompletedProcess[str]:
    """``decode -`` as a process of its own, fed through a pipe."""
    command = [sys.executable, "-c", "from offhook.bench.cli_dtmf import dtmf; dtmf()", "decode", "-", *options]
    done = subprocess.run(command, input=content, capture_output=True, timeout=60)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_wav_file_on_standard_input_is_read_as_one() -> None:
    done = piped(dsp.wav.encoded(dsp.encode("159#", 44100), 44100))
    assert (done.stdout, done.stderr, done.returncode) == ("159#\n", "", 0)
    told = piped(dsp.wav.encoded(dsp.encode("159#", 44100), 44100), "--rate", "8000")
    assert told.stdout == "159#\n"
    assert "--rate is for raw samples alone" in told.stderr


RAW_3 = dsp.to_int16(dsp.encode("3", off_s=0.2)).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("content", "options", "out", "words"),
    [
        (b"", [], "", "it is empty"),
        (RAW_3 + b"x", [], "3\n", "1 bytes are left over at the end"),
        (b"RIFF", [], "", "not a WAV file"),
        (RAW_3, ["--rate", "10"], "", "10"),
        (RAW_3, ["--channels", "0"], "", "channels"),
    ],
    ids=["empty", "odd", "riff-cut-short", "rate", "channels"],
)
def test_bad_standard_input_is_one_clear_line(content: bytes, options: list[str], out: str, words: str) -> None:
    done = piped(content, *options)
    assert done.stdout == out
    assert done.stderr.startswith("offhook: -: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "(try: " in done.stderr
    assert done.returncode == 2


FLOAT_3 = dsp.encode("3", off_s=0.2).astype("<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"OggS" + bytes(60), [], "it is an Ogg file: expected a WAV file, or raw samples"),
        (b"fLaC" + bytes(60), [], "it is a FLAC file"),
        (bytes(4) + b"ftypM4A " + bytes(60), [], "it is an MP4 file"),
        (b"hello, this is no audio at all\n", [], "it is text"),
        (np.array([0.0, float("nan")], "<f4").tobytes() * 8, ["--format", "f32"], "a sample is nan, expected -1..1"),
        (RAW_3, ["--format", "f32"], "not audio: a sample is "),
    ],
    ids=["ogg", "flac", "mp4", "text", "nan", "s16-as-f32"],
)
def test_what_is_no_audio_is_refused_by_kind(content: bytes, options: list[str], words: str) -> None:
    done = piped(content, *options)
    assert done.stdout == ""
    assert done.stderr.startswith("offhook: -: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (["-t", "s16"], []),
        (["-t", "f32"], ["--format", "f32"]),
        (["-t", "al"], ["--format", "alaw"]),
        (["-t", "ul"], ["--format", "ulaw"]),
        (["-t", "u8"], ["--format", "u8"]),
        (["-t", "s16", "-r", "44100"], ["--rate", "44100"]),
    ],
    ids=lambda value: "-".join(value[1:]),
)
def test_raw_samples_of_sox(tmp_path: Path, kind: list[str], options: list[str]) -> None:
    path = sox_digits(tmp_path / "made.wav", "159D0##", "-b", "16")
    raw = subprocess.run(["sox", str(path), *kind, "-"], capture_output=True, check=True).stdout
    done = piped(raw, *options)
    assert (done.stdout, done.stderr, done.returncode) == ("159D0##\n", "", 0)


def test_two_raw_channels_and_json_lines() -> None:
    both = dsp.to_int16(np.stack((dsp.encode("12", lead_s=0.1), np.pad(dsp.encode("9"), (0, 2400))))).T
    assert sorted(piped(both.tobytes(), "--channels", "2").stdout.splitlines()) == [
        "channel 1: 1",
        "channel 1: 2",
        "channel 2: 9",
    ]
    lines = [json.loads(line) for line in piped(both.tobytes(), "--channels", "2", "--json").stdout.splitlines()]
    assert sorted((line["channel"], line["key"]) for line in lines) == [(0, "1"), (0, "2"), (1, "9")]
    assert lines[0]["low_dbm0"] == pytest.approx(-11.0, abs=0.5)


def test_digits_are_printed_as_they_are_heard_and_a_closed_pipe_ends_it() -> None:
    """Reads the first digit while the input is still open, then goes away."""
    code = "from offhook.bench.cli_dtmf import dtmf; dtmf()"
    command = [sys.executable, "-c", code, "decode", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(RAW_3)
        process.stdin.flush()
        assert process.stdout.read(1) == b"3"
        process.stdout.close()
        process.stdin.write(RAW_3)
        process.stdin.close()
        assert process.wait(30) == 128 + 13
        assert process.stderr.read() == b""


def test_a_closed_standard_input_is_told() -> None:
    command = f"exec {sys.executable} -c 'from offhook.bench.cli_dtmf import dtmf; dtmf()' decode - <&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(b"offhook: -: read standard input: it is closed")


def test_rate_with_a_wav_file_is_answered_by_a_note(tmp_path: Path) -> None:
    dsp.wav.write(tmp_path / "x.wav", dsp.encode("42", 16000), 16000)
    result = run("decode", str(tmp_path / "x.wav"), "--rate", "8000")
    assert result.stdout == "42\n"
    assert result.stderr.startswith("note: --rate is for raw samples alone")
    assert run("decode", str(tmp_path / "x.wav")).stderr == ""


def test_encode_writes_what_decode_reads(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    result = run("encode", "47,11w#", "-o", str(path), "--rate", "48000", "--on", "60", "--off", "50")
    assert result.exit_code == 0
    assert run("decode", str(path)).output == "4711#\n"
    info = subprocess.run(["soxi", str(path)], capture_output=True, check=True).stdout.decode()
    assert "48000" in info
    assert "16-bit" in info


@pytest.mark.parametrize(
    ("option", "value", "unit"),
    [
        ("--on", "nan", "ms"),
        ("--on", "1e12", "ms"),
        ("--on", "0", "ms"),
        ("--on", "inf", "ms"),
        ("--off", "nan", "ms"),
        ("--off", "-1", "ms"),
        ("--low", "nan", "dBm0"),
        ("--low", "3.2", "dBm0"),
        ("--high", "1e400", "dBm0"),
        ("--high", "-inf", "dBm0"),
        ("--rate", "0", "Hz"),
        ("--rate", "99999999", "Hz"),
    ],
)
def test_a_figure_out_of_range_is_told_by_the_option_as_typed(
    tmp_path: Path, option: str, value: str, unit: str
) -> None:
    result = run("encode", "12", "-o", str(tmp_path / "o.wav"), option, value)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert result.output.startswith(f"offhook: {option}: encode: ")
    assert unit in result.output
    assert list(tmp_path.iterdir()) == []


def test_full_scale_itself_is_a_level(tmp_path: Path) -> None:
    assert run("encode", "12", "-o", str(tmp_path / "o.wav"), "--high", "3.14").exit_code == 0


@pytest.mark.parametrize("digits", ["", " ", ",w,"])
def test_a_string_without_a_digit_is_refused(tmp_path: Path, digits: str) -> None:
    result = run("encode", digits, "-o", str(tmp_path / "o.wav"))
    assert result.exit_code == 2
    assert result.output.startswith(f"offhook: {digits!r}: encode: there is no digit in it")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_hours_is_refused_before_it_is_made(tmp_path: Path) -> None:
    result = run("encode", "5" * 300, "-o", str(tmp_path / "o.wav"), "--on", "60000")
    assert result.exit_code == 2
    assert result.output.startswith("offhook: DIGITS: encode: 300 digits would take 18030 s")


def test_spaces_are_skipped_as_in_dialling(tmp_path: Path) -> None:
    path = tmp_path / "o.wav"
    assert run("encode", "0 555 01#", "-o", str(path)).exit_code == 0
    assert run("decode", str(path)).output == "055501#\n"


def damaged() -> dict[str, tuple[bytes, str]]:
    good = dsp.wav.encoded(dsp.encode("123"), 8000)
    fmt_float = struct.pack("<HHIIHH", 3, 1, 8000, 32000, 4, 32)
    nan = struct.pack("<4f", 0.0, float("nan"), 0.0, float("inf"))
    nan_file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + fmt_float + b"data" + struct.pack("<I", 16) + nan
    absurd = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + fmt_float + b"data" + struct.pack("<I", 16000)
    absurd += np.where(np.arange(4000) % 7 < 3, 1e30, -1e30).astype("<f4").tobytes()
    mp3 = good[:20] + struct.pack("<H", 0x55) + good[22:]
    return {
        "empty": (b"", "the file is empty"),
        "text": (b"hello, this is no audio at all", "not a WAV file"),
        "header": (good[:30], "cut short"),
        "truncated": (good[:-1000], "truncated"),
        "no-data": (good[:36], "no 'data' chunk"),
        "no-frames": (good[:40] + b"\0\0\0\0", "0 frames"),
        "nan": (nan_file, "2 of 4 samples are NaN or infinite"),
        "absurd": (absurd, "not audio: sample values up to 1e+30, expected -1..1"),
        "mp3": (mp3, "encoding 85"),
        "zero-rate": (good[:24] + b"\0\0\0\0" + good[28:], "sample rate 0"),
    }


@pytest.mark.parametrize("kind", damaged())
def test_bad_files_are_one_clear_line(tmp_path: Path, kind: str) -> None:
    content, words = damaged()[kind]
    path = tmp_path / f"{kind}.wav"
    path.write_bytes(content)
    result = run("decode", str(path))
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert result.output.startswith(f"offhook: {path}: read WAV: ")
    assert words in result.output
    assert "(try: " in result.output


def test_missing_file_and_bad_arguments(tmp_path: Path) -> None:
    missing = run("decode", str(tmp_path / "none.wav"))
    assert missing.exit_code == 2
    assert "No such file" in missing.output
    assert run("decode", "x.wav", "--profile", "Mars").exit_code == 2
    assert "ATT" in run("decode", "x.wav", "--profile", "Mars").output
    bad = run("encode", "12x", "-o", str(tmp_path / "o.wav"))
    assert bad.exit_code == 2
    assert "'x' at position 3" in bad.output
    assert list(tmp_path.iterdir()) == []


def test_a_good_file_is_read_beside_a_bad_one(tmp_path: Path) -> None:
    dsp.wav.write(tmp_path / "good.wav", dsp.encode("42"), 8000)
    (tmp_path / "bad.wav").write_bytes(b"")
    result = run("decode", str(tmp_path / "bad.wav"), str(tmp_path / "good.wav"))
    assert result.exit_code == 2
    assert f"{tmp_path / 'good.wav'}: 42" in result.output


def test_what_is_made_can_be_piped_into_the_decoder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "offhook.bench.cli", "dtmf"]
    made = subprocess.run(
        [*command, "encode", "159#", "-o", "-"], cwd=tmp_path, capture_output=True, timeout=60, check=True
    )
    heard = subprocess.run(
        [*command, "decode", "-"], cwd=tmp_path, input=made.stdout, capture_output=True, timeout=60, check=True
    )

    assert dsp.wav.parse(made.stdout).rate == 8000
    assert heard.stdout == b"159#\n"
    assert list(tmp_path.iterdir()) == []
