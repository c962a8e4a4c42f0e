"""What a Teltone line simulator is told: its commands and their limits, and the settings of a station file as commands.

Source: TLS-5 user's manual 40-400-00003 Rev. E, chapter 6 and appendix B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from offhook.drivers.errors import ConfigError

MODELS = ("TLS-3B", "TLS-4A", "TLS-5", "TLS-5A", "TLS-5B", "TLS-5C", "TLS-5D")
COMMANDS: dict[int, tuple[str, tuple[int, ...]]] = {
    20: ("dial tone delay, 0.1 s", (511,)),
    21: ("network response delay, 0.1 s", (511,)),
    22: ("second dial tone delay, 0.1 s", (255,)),
    23: ("ring cadence of the second number, on and off in 0.1 s", (30, 63, 30, 63, 30, 63)),
    30: ("response to busy", (1,)),
    31: ("response to an invalid number", (4,)),
    32: ("off-hook mode", (2,)),
    33: ("audio port permission", (1,)),
    34: ("flash detect", (1,)),
    35: ("hunt mode", (3,)),
    36: ("attenuation", (1,)),
    38: ("forced disconnect", (1,)),
    39: ("tone following disconnect", (4,)),
    50: ("caller ID type", (2,)),
    69: ("dial tone", (5,)),
    71: ("audible message waiting", (2,)),
    72: ("message waiting format", (2,)),
    73: ("conference type", (1,)),
}
"""Number of a command: what it sets, and the largest value of each of its parameters; the smallest is 0."""
LEAST = {72: 1}
FEWER = (23,)
"""Parameters may be left out from the end."""
NEWER = {71: ("TLS-5A", "TLS-5B"), 72: ("TLS-5A", "TLS-5B"), 73: ("TLS-5A", "TLS-5B")}
"""Commands that these models lack (they came with the TLS-5C and TLS-5D)."""
PREFIXES = {"private": "*67", "out-of-area": "*87", "checksum-error": "*88"}
"""Keyed before a number: what its caller ID then is."""

DIAL_TONES = ("350+440", "400", "440", "480", "620", "350+440 stutter")
"""What command 69 chooses from, by its value, in Hz."""
CALLER_IDS = ("off", "single", "multiple")
"""What command 50 chooses from: none, the number alone, number and name with date and time."""
OFF_HOOK_MODE = 32
TENTH_S = 0.1


def message(command: int, *values: int) -> str:
    """What is keyed for a command: ``*23#30#30#``. Raises ConfigError for what the manual does not have."""
    if command not in COMMANDS:
        known = ", ".join(map(str, COMMANDS))
        raise ConfigError(f"*{command}#", "program", "no such command of a TLS-3B, TLS-4A or TLS-5", f"one of {known}")
    what, most = COMMANDS[command]
    least = LEAST.get(command, 0)
    enough = 1 <= len(values) <= len(most) if command in FEWER else len(values) == len(most)
    if not enough or any(not least <= value <= top for value, top in zip(values, most, strict=False)):
        ranges = ", ".join(f"{least} to {top}" for top in most)
        raise ConfigError(f"*{command}#", "program", f"{what}: {', '.join(map(str, values)) or 'no value'}", ranges)
    return f"*{command}#" + "".join(f"{value}#" for value in values)


def commands_of(options: Mapping[str, Any]) -> list[tuple[int, ...]]:
    """The commands that a ``[linesim.NAME]`` asks for, in the order they are sent: named settings, then ``program``.

    Raises ConfigError, with the key as its resource, for what the box cannot be set to.
    """
    found: list[tuple[int, ...]] = []
    for key, command, choices in (("dial_tone_hz", 69, DIAL_TONES), ("caller_id", 50, CALLER_IDS)):
        if options.get(key) is not None:
            found.append((command, _chosen(key, str(options[key]), choices)))
    for key, command in (("dial_tone_delay_s", 20), ("second_ring_s", 23)):
        if options.get(key) is not None:
            seconds = options[key] if isinstance(options[key], Sequence) else [options[key]]
            found.append((command, *(_tenths(key, each) for each in seconds)))
            _check(key, found[-1])
    for place, command_and_values in enumerate(options.get("program") or ()):
        found.append(tuple(command_and_values))
        _check(f"program.{place}", found[-1])
    model = str(options.get("model", ""))
    for place, (command, *_) in enumerate(found):
        if model in NEWER.get(command, ()):
            raise ConfigError(f"program.{place}", "program", f"a {model} has no command {command}", "TLS-5C or TLS-5D")
    return found


def _chosen(key: str, wanted: str, choices: Sequence[str]) -> int:
    if wanted not in choices:
        raise ConfigError(key, "set", f'"{wanted}" is none of its choices', f"one of {', '.join(choices)}")
    return choices.index(wanted)


def _tenths(key: str, seconds: float) -> int:
    tenths = round(seconds / TENTH_S)
    if abs(tenths * TENTH_S - seconds) > 1e-6:
        raise ConfigError(key, "set", f"{seconds:g} s is no multiple of 0.1 s", f"{tenths * TENTH_S:.1f}")
    return tenths


def _check(key: str, command: tuple[int, ...]) -> None:
    if not command:
        raise ConfigError(key, "program", "no command", "[number, value, ...], as in [23, 10, 30]")
    if command[0] == OFF_HOOK_MODE and command[1:] != (0,):
        detail = f"*{command[0]}#{command[1]}# takes dial tone away: this line could not be programmed any more"
        raise ConfigError(key, "program", detail, "program() it from a test, and back at its end")
    try:
        message(*command)
    except ConfigError as error:
        raise ConfigError(key, error.operation, f"{error.resource}: {error.detail}", error.hint) from None
