"""Telephone signals as pure functions on numpy arrays; needs numpy alone.

One call::

    for digit in dsp.decode(samples, rate=8000):
        print(digit.key, digit.start_s, digit.end_s, digit.twist_db)

A class for live audio: ``Decoder(rate, channels).feed(block)`` yields ``Onset`` and ``Digit``. The other way:
``encode``, ``encode_spans``, ``encode_batch``. Beside them: ``profiles`` (what a receiver accepts), ``progress``
(call-progress tones and voice), ``measure`` (the meter), ``impair`` (noise, lines, networks), ``callerid``, ``stats``
(intervals), ``codec`` (G.711), ``wav`` (files), ``tones`` (frequencies, levels; full scale is +3.14 dBm0), ``compiled``
(when numba is used).
"""

from offhook.dsp import callerid, codec, compiled, impair, measure, profiles, progress, stats, tones, wav
from offhook.dsp.decode import decode
from offhook.dsp.digits import Digit, Digits, Onset
from offhook.dsp.encode import Encoded, EncodedBatch, Span, encode, encode_batch, encode_spans
from offhook.dsp.explain import Rejected, explain
from offhook.dsp.live import Decoder
from offhook.dsp.tones import dbm0, to_float, to_int16

__all__ = [
    "Decoder",
    "Digit",
    "Digits",
    "Encoded",
    "EncodedBatch",
    "Onset",
    "Rejected",
    "Span",
    "callerid",
    "codec",
    "compiled",
    "dbm0",
    "decode",
    "encode",
    "encode_batch",
    "encode_spans",
    "explain",
    "impair",
    "measure",
    "profiles",
    "progress",
    "stats",
    "to_float",
    "to_int16",
    "tones",
    "wav",
]
