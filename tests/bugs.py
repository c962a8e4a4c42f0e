"""Bugs of the bench itself, by name: one function or method made wrong while tests run (``pytest --bug NAME``).

A test that is marked with a requirement and passes with every bug proves nothing. `make faults` puts each in and sees
that the tests named in docs/faults.md fail.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Sound = Callable[..., Any]
Wrong = Callable[[Sound], Callable[..., Any]]


def put_in(name: str) -> None:
    """Make a part wrong, wherever it has been imported to. Raises KeyError for a bug there is none of."""
    owner, attribute, wrong = part(name)
    sound = vars(owner)[attribute]
    if isinstance(owner, type):
        setattr(owner, attribute, property(wrong(sound.fget)) if isinstance(sound, property) else wrong(sound))
        return
    broken = wrong(sound)
    for other in [each for name, each in sys.modules.items() if name.startswith("offhook.")]:
        for known, value in list(vars(other).items()):
            if value is sound:
                setattr(other, known, broken)


def part(name: str) -> tuple[Any, str, Wrong]:
    """What a bug is put into: a class or a module, the name of its part there, and what makes that wrong."""
    module_name, path, wrong = BUGS[name]
    module = importlib.import_module(module_name)
    owner, dot, method = path.partition(".")
    return (getattr(module, owner), method, wrong) if dot else (module, path, wrong)


def _spurious(encode: Sound) -> Sound:
    def made(*args: Any, **options: Any) -> Any:
        wave = encode(*args, **options)
        return wave + 0.05 * wave * wave

    return made


def _late_spans(encode_spans: Sound) -> Sound:
    def made(*args: Any, **options: Any) -> Any:
        found = encode_spans(*args, **options)
        return dataclasses.replace(found, spans=[span._replace(start=span.start + 1) for span in found.spans])

    return made


def _without(option: str) -> Wrong:
    def wrong(sound: Sound) -> Sound:
        return lambda *args, **options: sound(*args, **{key: options[key] for key in options if key != option})

    return wrong


def _with_profile(**changes: Any) -> Wrong:
    def wrong(decode: Sound) -> Sound:
        from offhook.dsp import profiles

        def decoded(samples: Any, rate: float = 8000, profile: Any = profiles.ATT) -> Any:
            return decode(samples, rate, profile.with_(**changes))

        return decoded

    return wrong


def _hears_voices(decode: Sound) -> Sound:
    def decoded(samples: Any, rate: float = 8000, *rest: Any) -> Any:
        from offhook.dsp.encode import encode_spans

        five = encode_spans("5", rate).samples
        samples = np.asarray(samples)
        five = five if samples.dtype.kind == "f" else (five * 32767).astype(samples.dtype)
        return decode(np.concatenate((np.broadcast_to(five, (*samples.shape[:-1], five.size)), samples), axis=-1), rate)

    return decoded


def _biased(level_db: float) -> Wrong:
    def wrong(digits: Sound) -> Sound:
        def measured(*args: Any, **options: Any) -> Any:
            found = digits(*args, **options)
            return [
                dataclasses.replace(each, low_dbm0=each.low_dbm0._replace(value=each.low_dbm0.value + level_db))
                for each in found
            ]

        return measured

    return wrong


def _renamed(classify: Sound) -> Sound:
    def named(*args: Any, **options: Any) -> Any:
        return [dataclasses.replace(each, name="busy") for each in classify(*args, **options)]

    return named


def _narrow(interval: Sound) -> Sound:
    def bounds(hits: int, n: int, *rest: Any) -> Any:
        found = interval(hits, n, *rest)
        half = (found.high - found.low) / 4
        return found._replace(low=min(found.low + half, 1.0), high=max(found.high - half, 0.0))

    return bounds


def _undrawn(draw: Sound) -> Sound:
    def drawn(*args: Any, **options: Any) -> Any:
        markup = draw(*args, **options)
        return type(markup)(re.sub(r"<text[^>]*>.*?</text>", "", str(markup)))

    return drawn


def _a_block_late(feed: Sound) -> Sound:
    kept: dict[int, list[Any]] = {}

    def fed(self: Any, block: Any) -> list[Any]:
        events = kept.get(id(self), [])
        kept[id(self)] = feed(self, block)
        return events

    return fed


def _quieter(encode: Sound) -> Sound:
    def made(*args: Any, **options: Any) -> Any:
        found = encode(*args, **options)
        return dataclasses.replace(
            found, samples=found.samples // 2 if found.samples.dtype == np.int16 else found.samples / 2
        )

    return made


def _without_attempts(typeset: Sound) -> Sound:
    def made(said: dict[str, Any], *rest: Any) -> bytes:
        return bytes(
            typeset({key: value[:1] if isinstance(value, list) else value for key, value in said.items()}, *rest)
        )

    return made


def _at_once(init: Sound) -> Sound:
    return lambda self, clock, settle_s, *rest, **options: init(self, clock, 0.0, *rest, **options)


def _proven(proof: Sound) -> Sound:
    from offhook.bench.record import Verdict

    return lambda *args: Verdict.PASS


BUGS: dict[str, tuple[str, str, Wrong]] = {
    "spurious-tones": ("offhook.dsp.encode", "encode", _spurious),
    "late-spans": ("offhook.dsp.encode", "encode_spans", _late_spans),
    "deaf-to-levels": ("offhook.dsp.encode", "encode_spans", _without("level_low_dbm0")),
    "dials-anything": (
        "offhook.dsp.encode",
        "encode",
        lambda encode: lambda keys, *rest, **options: encode(re.sub(r"[^0-9A-Da-d*#,wW]", "", keys), *rest, **options),
    ),
    "leaky-bank": ("offhook.dsp.goertzel", "bank", lambda bank: lambda *args: bank(*args) * 1.001),
    "repeats-held-keys": ("offhook.dsp.live", "Decoder.feed", lambda feed: lambda self, block: feed(self, block) * 2),
    "bridges-pauses": ("offhook.dsp.decode", "decode", _with_profile(bridge_s=0.060)),
    "narrow-band": ("offhook.dsp.decode", "decode", _with_profile(freq_tolerance_percent=1.0)),
    "hears-voices": ("offhook.dsp.decode", "decode", _hears_voices),
    "biased-meter": ("offhook.dsp.measure", "digits", _biased(0.5)),
    "miscounts": (
        "offhook.bench.characterize.tally",
        "align",
        lambda align: lambda sent, heard: [pair for pair in align(sent, heard) if pair[0] == pair[1]],
    ),
    "misnames-tones": ("offhook.dsp.progress", "classify", _renamed),
    "calls-all-voice": ("offhook.dsp.progress", "voice", lambda voice: lambda samples, *rest: [(0.0, 0.5)]),
    "narrow-intervals": ("offhook.dsp.stats", "wilson", _narrow),
    "narrow-bounds": ("offhook.dsp.stats", "clopper_pearson", _narrow),
    "ignores-uncertainty": ("offhook.bench.record.verdicts", "combine", lambda combine: lambda *u: 0.0),
    "certifies-all": ("offhook.bench.record.judge", "reach", lambda reach: lambda meta: "HW-CERTIFIED"),
    "trusts-all-files": ("offhook.bench.record.judge", "_distrust", lambda distrust: lambda finding, evidence: finding),
    "hashes-names": (
        "offhook.bench.record.folder",
        "sha256",
        lambda sha256: lambda path: f"{abs(hash(path.name)):064x}",
    ),
    "blank-ladder": ("offhook.reports.ladder", "draw_call", _undrawn),
    "late-files": (
        "offhook.bench.record.audio",
        "_Track.sound",
        lambda sound: lambda self, start_s, samples: sound(self, start_s + 0.02, samples),
    ),
    "dials-all": ("offhook.bench.numbers", "DialRule.check", lambda check: lambda self, number: number),
    "leaves-relays": (
        "offhook.bench.safety",
        "_outputs",
        lambda outputs: lambda rig: [each for each in outputs(rig) if not each[0].startswith("relay")],
    ),
    "counts-simulated": ("offhook.bench.hardware", "missing", lambda missing: lambda station, resources: ""),
    "reads-what-was-set": (
        "offhook.drivers.relay.numato",
        "NumatoBoard.read_all",
        lambda read: lambda self: (False,) * self.channels,
    ),
    "loses-arguments": (
        "offhook.drivers.cti.csta",
        "CstaDriver.request",
        lambda ask: (
            lambda self, service, done, **arguments: ask(
                self, service, done, **{key: arguments[key] + "0" for key in arguments}
            )
        ),
    ),
    "late-onsets": ("offhook.dsp.live", "Decoder.feed", _a_block_late),
    "explains-nothing": ("offhook.dsp.explain", "explain", lambda explain: lambda *args, **options: []),
    "half-a-batch": ("offhook.dsp.encode", "encode_batch", _quieter),
    "passes-at-the-limit": (
        "offhook.bench.record.verdicts",
        "within",
        lambda within: lambda figure, u, at_least, at_most: within(figure, 0.0, at_least, at_most),
    ),
    "small-bound": ("offhook.dsp.stats", "error_bound", lambda bound: lambda *args: bound(*args) / 2),
    "claims-too-soon": ("offhook.bench.record.rates", "_proof", _proven),
    "loses-attempts": ("offhook.reports.pdf", "typeset", _without_attempts),
    "never-settles": ("offhook.drivers.sense.debounce", "Debouncer.__init__", _at_once),
    "takes-any-instrument": (
        "offhook.drivers.visa.scpi",
        "ScpiInstrument._compared",
        lambda compared: lambda self, identity: [],
    ),
    "forgets-commands": (
        "offhook.drivers.relay.account",
        "Account.acknowledged",
        lambda note: lambda self, relay, closed, sent_s, acked_s: None,
    ),
    "deaf-keypad": (
        "offhook.fixtures.keypad",
        "KeyMatrix._down",
        lambda down: lambda self: down(self).translate({53: "2"}),
    ),
}
"""Name: module, function or Class.method, and what it becomes."""
