"""``offhook dtmf``: digits out of WAV files, and digits into one."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from offhook.bench import standard_input
from offhook.bench.standard_input import NOT_AUDIO, WIDTHS
from offhook.drivers.errors import ConfigError

MOST_MS = 60_000.0
MOST_SAMPLES = 50_000_000
"""Longest file that is made: 104 minutes at 8000 Hz; making it takes some ten times its size in memory."""
ON = "Tone, ms, its edges of 2 ms included: between the points of half amplitude it measures 2 ms less."
LEAST_DBM0 = -90.0
"""Below this a sine does not move a 16-bit sample."""


@click.group()
def dtmf() -> None:
    """Decode and make DTMF digits."""


def _refuse(error: ConfigError) -> None:
    """One line, exit code 2."""
    click.echo(f"offhook: {error}", err=True)
    sys.exit(2)


@dtmf.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document with every figure; raw input: one a digit, a line."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Every digit and every rejected candidate, with the reason; raw input: digits alone.",
)
@click.option(
    "--profile", "profile_name", default="ATT", show_default=True, help="What a digit must be: NTT, ATT, ETSI, ..."
)
@click.option("--rate", type=float, default=8000, show_default=True, help="Sample rate of raw input (FILE is -), Hz.")
@click.option("--channels", type=int, default=1, show_default=True, help="Channels of raw input (FILE is -).")
@click.option(
    "--format", "form", type=click.Choice(tuple(WIDTHS)), default="s16", show_default=True, help="Samples of raw input."
)
def decode(
    files: tuple[str, ...], as_json: bool, explain: bool, profile_name: str, rate: float, channels: int, form: str
) -> None:
    """Print the digits of WAV files: any rate, width and channels, PCM, float, A-law, mu-law.

    FILE may be "-", standard input: a WAV file, or raw samples (signed 16-bit unless --format says otherwise, little
    endian), printed as they are heard (sox in.wav -t s16 -r 8000 -c 1 - | offhook dtmf decode -).
    """
    from offhook import dsp

    if "-" not in files:
        _note_unused()
    try:
        profile = dsp.profiles.named(profile_name)
    except ValueError as error:
        _refuse(ConfigError("--profile", "choose", str(error)))
    results = []
    failed = False
    for file in files:
        try:
            head = standard_input.head() if file == "-" else b"RIFF"
            if not standard_input.is_wav(head):
                how = "json" if as_json else "explain" if explain else "keys"
                _stream(standard_input.samples(head, form, channels), rate, channels, profile, how)
                continue
            audio = _read(file, head)
            digits, rejected = dsp.explain(audio.samples, audio.rate, profile)
        except ConfigError as error:
            click.echo(f"offhook: {error}", err=True)
            failed = True
            continue
        results.append(_result(file, audio, digits, rejected, profile.name))
        if not as_json:
            _show(file, digits, rejected, explain, many=len(files) > 1)
    if as_json and results:
        click.echo(json.dumps(results if len(files) > 1 else results[0], indent=2, allow_nan=False))
    if failed:
        sys.exit(2)


def _note_unused() -> None:
    """Say of --rate, --channels and --format that WAV files bring their own, to whoever typed them."""
    context = click.get_current_context()
    for name, option in (("rate", "rate"), ("channels", "channels"), ("form", "format")):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            click.echo(f"note: --{option} is for raw samples alone; the figure in the WAV file is used", err=True)


def _read(file: str, head: bytes) -> Any:
    """The audio of a WAV file; of standard input, which began with ``head``, for "-". Raises ConfigError."""
    import numpy as np

    from offhook import dsp

    try:
        if file == "-":
            _note_unused()
            audio = dsp.wav.parse(head + b"".join(iter(standard_input.read, b"")), file)
        else:
            audio = dsp.wav.read(file)
        dsp.tones.check_rate(audio.rate)
    except dsp.wav.WavError as error:
        raise ConfigError(file, "read WAV", error.detail, error.hint) from None
    except ValueError as error:
        raise ConfigError(file, "read WAV", str(error), "record it at 8000 Hz or more") from None
    except OSError as error:
        raise ConfigError(file, "open", error.strerror or str(error), "check the path") from None
    largest = float(np.abs(audio.samples).max()) if audio.samples.dtype.kind == "f" else 0.0
    if largest > NOT_AUDIO:
        detail = f"not audio: sample values up to {largest:.3g}, expected -1..1"
        raise ConfigError(file, "read WAV", detail, "export it again as float of full scale 1.0")
    return audio


def _result(file: str, audio: Any, digits: Any, rejected: Any, profile: str) -> dict[str, Any]:
    return {
        "file": file,
        "rate_hz": audio.rate,
        "channels": int(audio.samples.shape[0]),
        "encoding": audio.encoding,
        "duration_s": round(audio.duration_s, 6),
        "profile": profile,
        "text": digits.texts(),
        "digits": [_figures(row) for row in digits],
        "rejected": [_figures(row) for row in rejected],
    }


def _figures(row: Any) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(row).items()}


def _show(file: str, digits: Any, rejected: Any, explain: bool, *, many: bool) -> None:
    if not explain:
        for channel, text in enumerate(digits.texts()):
            label = (f"{file}: " if many else "") + (f"channel {channel + 1}: " if digits.channels > 1 else "")
            click.echo(f"{label}{text}")
        return
    if many:
        click.echo(f"{file}:")
    lines = [(row.channel, row.start_s, _line(row)) for row in digits]
    lines += [(row.channel, row.start_s, _why(row)) for row in rejected]
    for channel, _, line in sorted(lines):
        click.echo((f"channel {channel + 1} " if digits.channels > 1 else "") + line)


def _line(row: Any) -> str:
    stronger = "high" if row.twist_db >= 0 else "low "
    return (
        f"{row.start_s:7.3f} s  {row.key}  {1000 * (row.end_s - row.start_s):4.0f} ms  "
        f"{row.low_hz:6.1f} + {row.high_hz:6.1f} Hz  {row.low_dbm0:5.1f}/{row.high_dbm0:5.1f} dBm0  "
        f"{stronger} +{abs(row.twist_db):.1f} dB  S/N {row.snr_db:.0f} dB"
    )


def _why(row: Any) -> str:
    return f"{row.start_s:7.3f} s  -  {1000 * (row.end_s - row.start_s):4.0f} ms  {row.key}?  rejected: {row.reason}"


def _stream(blocks: Iterator[Any], rate: float, channels: int, profile: Any, how: str) -> None:
    """Raw samples as they come; digits appear as they end. Raises ConfigError."""
    from offhook import dsp

    try:
        decoder = dsp.Decoder(rate, channels, profile)
    except ValueError as error:
        raise ConfigError("-", "decode raw samples", str(error), "--rate and --channels as recorded") from None

    shown = 0

    def show(events: Any) -> None:
        nonlocal shown
        for event in events:
            if isinstance(event, dsp.Digit):
                shown += 1
                prefix = f"channel {event.channel + 1}: " if channels > 1 else ""
                if how == "json":
                    _put(json.dumps(_figures(event), allow_nan=False) + "\n")
                elif how == "explain":
                    _put(prefix.replace(":", "") + _line(event) + "\n")
                else:
                    _put(prefix + event.key + ("\n" if channels > 1 else ""))

    whole = False
    try:
        for block in blocks:
            show(decoder.feed(block))
        whole = True
    finally:  # what was heard before garbage, or Ctrl-C, is told all the same
        show(decoder.flush())
        if how == "keys" and channels == 1 and (shown or whole):
            _put("\n")


def _put(text: str) -> None:
    """Print now. Whoever reads may have heard enough (``| head``): then this ends without a word, as by SIGPIPE."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit must not fail again
        sys.exit(128 + 13)


def _put_bytes(data: bytes) -> None:
    """A whole WAV file to standard output. Raises ConfigError if that is a terminal."""
    if sys.stdout.isatty():
        raise ConfigError("-", "write WAV", "standard output is a terminal", "| offhook dtmf decode -, or -o out.wav")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@dtmf.command()
@click.argument("digits")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help='WAV file to write; "-": standard output.',
)
@click.option("--rate", type=int, default=8000, show_default=True, help="Sample rate, Hz.")
@click.option("--on", "on_ms", type=float, default=100.0, show_default=True, help=ON)
@click.option("--off", "off_ms", type=float, default=100.0, show_default=True, help="Silence after each tone, ms.")
@click.option("--low", "low_dbm0", type=float, default=-11.0, show_default=True, help="Level of the low group, dBm0.")
@click.option("--high", "high_dbm0", type=float, default=-9.0, show_default=True, help="Level of the high group, dBm0.")
def encode(
    digits: str, output: Path, rate: int, on_ms: float, off_ms: float, low_dbm0: float, high_dbm0: float
) -> None:
    """Write DIGITS (0-9 * # A-D, ',' pause, 'w' wait; spaces are skipped) as a 16-bit WAV file.

    To standard output for a pipe: offhook dtmf encode 159 -o - | offhook dtmf decode -
    """
    from offhook import dsp

    try:
        keys = digits.replace(" ", "")
        _check_form(rate, on_ms, off_ms, low_dbm0, high_dbm0)
        _check_length(digits, keys, rate, (on_ms + off_ms) / 1000.0)
        made = dsp.encode_spans(
            keys,
            rate,
            level_low_dbm0=low_dbm0,
            level_high_dbm0=high_dbm0,
            on_s=on_ms / 1000.0,
            off_s=off_ms / 1000.0,
            lead_s=off_ms / 1000.0,
        )
        if str(output) == "-":
            _put_bytes(dsp.wav.encoded(made.samples, rate))
        else:
            dsp.wav.write(output, made.samples, rate)
    except ConfigError as error:
        _refuse(error)
    except ValueError as error:
        _refuse(ConfigError(repr(digits), "encode", str(error)))
    except BrokenPipeError:
        raise  # nobody reads standard output any more: no bad path
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "free some space" if full else "choose a folder that exists and is writable"
        _refuse(ConfigError(str(output), "write", error.strerror or str(error), hint))
    told = f"{output}: {len(made.spans)} digits, {len(made.samples) / rate:.2f} s at {rate} Hz"
    click.echo(told, err=str(output) == "-")


def _check_form(rate: int, on_ms: float, off_ms: float, low_dbm0: float, high_dbm0: float) -> None:
    """Raises ConfigError that names the option as typed, its unit and its range."""
    from offhook import dsp

    top = dsp.tones.FULL_SCALE_DBM0
    try:
        dsp.tones.check_rate(rate)
    except ValueError as error:
        raise ConfigError("--rate", "encode", str(error), "--rate 8000") from None
    for option, value, least, most, unit, usual in (
        ("--on", on_ms, 1000.0 / rate, MOST_MS, "ms", 100),
        ("--off", off_ms, 0.0, MOST_MS, "ms", 100),
        ("--low", low_dbm0, LEAST_DBM0, top, "dBm0", -11),
        ("--high", high_dbm0, LEAST_DBM0, top, "dBm0", -9),
    ):
        if not least <= value <= most:  # false for NaN too
            detail = f"{value:g} {unit}: expected {least:g} to {most:g} {unit}"
            detail += " (full scale)" if unit == "dBm0" and value > most else ""
            raise ConfigError(option, "encode", detail, f"{option} {usual}")


def _check_length(digits: str, keys: str, rate: int, each_s: float) -> None:
    """Raises ConfigError for a string without a digit, and for one that makes an absurdly long file."""
    from offhook.dsp.dial import parse

    dialled, waits = parse(keys)
    if not dialled:
        raise ConfigError(repr(digits), "encode", "there is no digit in it", "offhook dtmf encode '159#' -o out.wav")
    total_s = each_s * len(dialled) + sum(waits)
    if total_s * rate > MOST_SAMPLES:
        detail = (
            f"{len(dialled)} digits would take {total_s:.0f} s; {MOST_SAMPLES / rate:.0f} s at {rate} Hz is the most"
        )
        raise ConfigError("DIGITS", "encode", detail, "fewer digits, or a shorter --on and --off")
