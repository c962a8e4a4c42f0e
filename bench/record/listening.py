"""The kinds of judgement that read WAV files: digits, no_digits, tone, voice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from offhook.bench.record.heard import VOICE, Key, Sound, difference, errors, text, total_s
from offhook.bench.record.kinds import Case, Finding, NoEvidence, losses
from offhook.bench.record.schema import RELAY_LOG, Verdict
from offhook.bench.record.searching import blanked

TONE_S = 0.05
"""A tone needs this much of itself in the window: one burst of a stutter tone is 0.1 s."""
VOICE_S = 0.15
"""Voice needs this much: half a syllable."""


def digits(case: Case) -> Finding:
    """The wire's audio decodes to exactly the digits expected, none longer than ``longest_s`` if that is given."""
    wire, expected = str(case.need("wire")), str(case.need("expected"))
    _check_recorded(case, wire)
    keys = case.ear.keys_between(wire, case.from_s, case.to_s)
    heard, files = text(keys), _files(case, wire)
    wrong = float(errors(expected, heard))
    reason = f"heard {heard}" if heard else "heard no digits"
    if heard != expected:
        reason = f"expected {expected or 'no digits'}, {reason}: {difference(expected, keys)}"
    longest_s = case.limit("longest_s")
    held = [key for key in keys if longest_s is not None and key.end_s - key.start_s > longest_s]
    for key in held:
        reason += f'; "{key.key}" lasted {key.end_s - key.start_s:.2f} s, at most {longest_s:g} s'
    verdict = Verdict.PASS if heard == expected and not held else Verdict.FAIL
    places = _listen_at(case, wire, held or keys) + _relay_line(case)
    return Finding(verdict, reason, wrong, None, 0.0, 0.0, len(expected), files, places)


def no_digits(case: Case) -> Finding:
    """No wire's audio decodes to text that contains the forbidden digits, but inside those of ``apart_from``."""
    forbidden = str(case.need("forbidden"))
    if not forbidden:
        raise ValueError("no_digits needs the digits that must not be there")
    named = case.need("wires")
    recorded = case.evidence.recorded()
    wires = list(recorded) if named == "*" else [named] if isinstance(named, str) else [str(wire) for wire in named]
    left_out = case.spec.get("except") or ()
    wires = [wire for wire in wires if wire not in ([left_out] if isinstance(left_out, str) else left_out)]
    if not wires:
        raise NoEvidence("no wire was recorded")
    for wire in wires:
        _check_recorded(case, wire)
    hits: list[str] = []
    places: list[str] = []
    files: list[str] = []
    for wire in wires:
        keys = case.ear.keys_between(wire, case.from_s, case.to_s)
        files += _files(case, wire)
        at = blanked(text(keys), case.spec.get("apart_from", ())).find(forbidden)
        if at >= 0:
            hits.append(f"{wire} at {keys[at].start_s:.3f} s")
            places.append(_place(keys[at]))
    reason = f"{forbidden} heard on {', '.join(hits)}" if hits else f"{len(wires)} wires listened to"
    verdict = Verdict.FAIL if hits else Verdict.PASS
    return Finding(verdict, reason, float(len(hits)), None, 0.0, 0.0, len(wires), tuple(files), tuple(places))


def tone(case: Case) -> Finding:
    """The named call-progress tone is on the wire for at least ``at_least`` seconds (0.05 if not given).

    ``dial|stutter`` is either of them: tones of one family differ only in how long they have been heard.
    """
    return _lasting(case, str(case.need("expected")).split("|"), " tone", TONE_S)


def voice(case: Case) -> Finding:
    """Audio that is neither tone nor digit is on the wire for at least ``at_least`` seconds (0.15 if not given)."""
    return _lasting(case, [VOICE], "", VOICE_S)


def _lasting(case: Case, wanted: Sequence[str], what: str, default_s: float) -> Finding:
    wire, least = str(case.need("wire")), float(case.spec.get("at_least", default_s))
    _check_recorded(case, wire)
    sounds = case.ear.sounds_between(wire, case.from_s, case.to_s)
    lengths = total_s(sounds)
    seconds = sum(lengths.get(name, 0.0) for name in wanted)
    expected = " or ".join(wanted)
    heard = ", ".join(f"{name} for {lengths[name]:.2f} s" for name in sorted(lengths))
    heard = heard or _digits_heard(case, wire) or "silence"
    passed = seconds >= least
    reason = f"heard {heard}" if passed else f"expected {expected}{what}, heard {heard}"
    fitting = [sound for sound in sounds if sound.name in wanted] if passed else sounds
    places, files = _listen_at(case, wire, fitting), _files(case, wire)
    return Finding(Verdict.PASS if passed else Verdict.FAIL, reason, seconds, least, None, 0.0, 1, files, places)


def _digits_heard(case: Case, wire: str) -> str:
    keys = text(case.ear.keys_between(wire, case.from_s, case.to_s))
    return f"digits {keys}" if keys else ""


def _check_recorded(case: Case, wire: str) -> None:
    if wire not in case.evidence.recorded():
        raise NoEvidence(f"{wire} was not recorded")
    for lost in losses(case.evidence, case.from_s, case.to_s):
        if lost.wire in (wire, ""):
            raise NoEvidence(f"audio of {wire} was lost at {lost.time_s:.3f} s ({lost.data.get('what') or 'overrun'})")


def _files(case: Case, wire: str) -> tuple[str, ...]:
    return tuple(clip.file for clip in case.evidence.clips(wire, case.from_s, case.to_s))


def _place(heard: Key | Sound) -> str:
    return f"{heard.file}@{heard.offset_s:.1f}"


def _listen_at(case: Case, wire: str, heard: list[Key] | list[Sound]) -> tuple[str, ...]:
    """Where to listen: at what was heard, else where the window begins in the recording."""
    if heard:
        return (_place(heard[0]),)
    clips = case.evidence.clips(wire, case.from_s, case.to_s)
    return tuple(f"{clip.file}@{max(0.0, case.from_s - clip.start_s):.1f}" for clip in clips[:1])


def _relay_line(case: Case) -> tuple[str, ...]:
    """The first line of the relay log within the window."""
    if not math.isfinite(case.from_s):
        return ()
    number = case.evidence.log(RELAY_LOG).first(case.from_s, case.to_s)
    return (f"{RELAY_LOG}:{number}",) if number else ()
