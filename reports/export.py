"""A run for somebody outside the lab: its documents and evidence without local codes, numbers and names.

What is made is not a run folder: verdicts were made from the run as it was sealed, whose digest stands in
``redaction.json`` with what was taken out. The run itself stays with the lab, where each can be worked out again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from offhook.bench.record.folder import empty_folder, write_manifest
from offhook.bench.record.reader import sha256
from offhook.bench.record.schema import CTI_LOG, MANIFEST, RELAY_LOG
from offhook.drivers.errors import Busy, ConfigError
from offhook.reports import folder, html, junit, pdf, results, summary
from offhook.reports.folder import Run
from offhook.reports.redact import PROFILES, Redaction
from offhook.reports.secrecy import silenced_spans

NOTE = "redaction.json"
HIDDEN = "*"


def export(run_dir: Path, out: Path, profile: str = "vendor") -> list[Path]:
    """Write the run's documents and evidence to a new folder, redacted; return what was written.

    Raises ConfigError if the run cannot be read, was altered, or if there is anything in ``out``.
    """
    if profile not in PROFILES:
        raise ConfigError(f"profile {profile!r}", "export", "there is no such profile", ", ".join(PROFILES))
    with folder.opened(Path(run_dir)) as run:
        if run.result.live:
            raise Busy(str(run_dir), "export", "this run is being recorded now", "wait for its end")
        if run.integrity.altered or not run.integrity.sealed:
            raise ConfigError(str(run_dir), "export", "it is not what was sealed", "export a sealed, unaltered run")
        out = empty_folder(Path(out))
        redaction = Redaction(run.meta, PROFILES[profile])
        spans = silenced_spans(run)
        quiet = replace(run, silenced=spans)
        _documents(quiet, out, redaction)
        removed = _audio(quiet, out)
        rows = _logs(quiet, out, redaction)
        _note(run, out, redaction, profile, removed, rows)
    write_manifest(out)
    return sorted(path for path in out.rglob("*") if path.is_file())


def _documents(run: Run, out: Path, redaction: Redaction) -> None:
    digest = summary.summarize(run)
    data = redaction.data(json.loads(results.text(run, digest)))
    (out / "results.json").write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    (out / "junit.xml").write_text(redaction.text(junit.text(run, digest)), "utf-8")
    (out / "report.pdf").write_bytes(pdf.document(run, digest, redaction.data))
    (out / "report.html").write_text(redaction.page(html.text(run, digest)), "utf-8")


def _audio(run: Run, out: Path) -> float:
    """Every recording, with silence where a local code is heard; returns how many seconds that is."""
    (out / "audio").mkdir()
    removed = 0
    for clip in run.clips:
        samples, start_s = run.evidence.samples(clip)
        samples = samples.copy()
        for from_s, to_s in run.silenced.get(clip.wire, []):
            first, last = (max(0, round((at - start_s) * clip.rate_hz)) for at in (from_s, to_s))
            removed += int(np.count_nonzero(samples[first:last]))
            samples[first:last] = 0
        with wave.open(str(out / clip.file), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(clip.rate_hz)
            file.writeframes(samples.astype("<i2").tobytes())
    return removed / (run.clips[0].rate_hz if run.clips else 1)


def _logs(run: Run, out: Path, redaction: Redaction) -> int:
    """Both logs; relay commands while a local code was keyed lose the relay. Returns how many did."""
    messages = [
        json.dumps(redaction.data(json.loads(line)), ensure_ascii=False) for line in run.evidence.lines(CTI_LOG)
    ]
    (out / CTI_LOG).write_text("".join(f"{line}\n" for line in messages), "utf-8")
    keyed = [span for spans in run.secret_spans.values() for span in spans]
    made, hidden = io.StringIO(), 0
    rows = csv.writer(made, lineterminator="\n")
    for number, row in enumerate(csv.reader(run.evidence.lines(RELAY_LOG))):
        if number and any(from_s <= float(row[0]) <= to_s for from_s, to_s in keyed):
            row[3], hidden = HIDDEN, hidden + 1
        rows.writerow(row)
    (out / RELAY_LOG).write_text(made.getvalue(), "utf-8")
    return hidden


def _note(run: Run, out: Path, redaction: Redaction, profile: str, removed_s: float, rows: int) -> None:
    manifest = run.path / MANIFEST
    content: dict[str, Any] = {
        "schema_version": 1,
        "run_id": run.name,
        "profile": profile,
        "taken_out": sorted(redaction.what),
        "audio_silenced_s": round(removed_s, 3),
        "relay_commands_hidden": rows,
        "stand_ins": sorted(redaction.known.values()),
        "digest_of_the_run": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "sealed_files": {name: sha256(run.path / name) for name in sorted(run.integrity.hashes)},
        "left_out": ["run.sqlite: every observation, key by key, stays with the lab"],
        "says": "Verdicts were made from the run as it was sealed; the documents here are of those verdicts.",
    }
    (out / NOTE).write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
