"""One number for everything a run saw and decided: equal for equal runs, whatever the time of day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from offhook.bench.record.reader import open_run, sha256


def fingerprint(folder: Path | str) -> str:
    """SHA-256 over attempts, steps, observations, audio and verdicts of a run, in hex."""
    digest = hashlib.sha256()
    with open_run(folder) as evidence:
        attempts = [
            (one.nodeid, one.started_s, one.ended_s, one.raised, one.outcome, one.reqs) for one in evidence.attempts()
        ]
        rows = [
            attempts,
            [asdict(step) for step in evidence.steps()],
            [asdict(seen) for seen in evidence.observations()],
            [(asdict(clip), _content(evidence.folder / clip.file)) for clip in evidence.clips()],
            [asdict(judgement) for judgement in evidence.judgements()],
        ]
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _content(path: Path) -> str:
    return sha256(path) if path.is_file() else "missing"
