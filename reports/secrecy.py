"""Digits as a reader may see them: those of a local code are dots, wherever they were heard."""

from __future__ import annotations

from dataclasses import replace

from offhook.bench.record.heard import Key
from offhook.reports.folder import Run

HIDDEN = "•"


def keys_heard(run: Run, wire: str, from_s: float, to_s: float) -> list[Key]:
    """The digits on a wire, decoded again. Raises OSError or ValueError if its files cannot be read."""
    keys = run.ear.keys_between(wire, from_s, to_s)
    secret = run.evidence.secrets.places("".join(key.key for key in keys), run.evidence)
    spans = run.secret_spans.get(wire, [])
    return [
        replace(key, key=HIDDEN) if at in secret or (_within(key, spans) and key.key != "#") else key
        for at, key in enumerate(keys)
    ]


def _within(key: Key, spans: list[tuple[float, float]]) -> bool:
    return any(from_s <= key.end_s and key.start_s <= to_s for from_s, to_s in spans)
