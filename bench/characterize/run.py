"""A whole campaign: which parts are run, in which order, and the short of what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from offhook.bench.characterize import battery, comparison, limits, sweeps, talkoff
from offhook.bench.characterize.campaign import Campaign
from offhook.bench.characterize.findings import Findings
from offhook.bench.characterize.receivers import open_receiver
from offhook.bench.characterize.stimulus import BATCH, Condition
from offhook.drivers.errors import ConfigError
from offhook.dsp import stats
from offhook.dsp.tones import KEYS


@dataclass(frozen=True)
class Job:
    """What is asked for. ``sections`` of conditions, limits, curves, maps, battery."""

    receivers: tuple[str, ...]
    sections: tuple[str, ...] = ()
    digits: int = 320
    keys: str = ""
    each_key: bool = False
    folders: tuple[Path, ...] = ()
    harsh_minutes: int = 0
    claim: float | None = None
    most_errors: int = 1
    seed: int = 1


def run(job: Job, folder: Path, workers: int, progress: Callable[[int, int], None] | None = None) -> Findings:
    """Run it; what the folder holds already is not run again. Raises ConfigError before anything is run."""
    for name in job.receivers:
        open_receiver(name)
    for path in job.folders:
        talkoff.recordings(path)
    keys = job.keys.upper() or KEYS
    if strange := set(keys) - set(KEYS):
        raise ConfigError("--key", "choose", f"{sorted(strange)} are not keys", f"some of {KEYS}")
    batches = -(-job.digits // BATCH)
    found = Findings(job.receivers, job.seed, batches * BATCH, comparison.versions(job.receivers))
    with Campaign(folder, job.seed, workers, progress) as campaign:
        _sections(job, campaign, batches, Condition(keys=keys), found)
        if job.claim is not None:
            plan = stats.Plan.of(job.claim, job.most_errors)
            found.claims = [sweeps.claim(campaign, name, plan) for name in job.receivers]
        for path in job.folders:
            found.talkoffs += talkoff.folder(campaign, job.receivers, path)
        if job.harsh_minutes:
            found.talkoffs += talkoff.harsh(campaign, job.receivers, job.harsh_minutes)
    return found


def _sections(job: Job, campaign: Campaign, batches: int, base: Condition, found: Findings) -> None:
    if "conditions" in job.sections:
        found.conditions = sweeps.conditions(campaign, job.receivers, batches)
    if "limits" in job.sections:
        bases = [base.with_(keys=key) for key in base.keys] if job.each_key else [base]
        walks = [walk for one in bases for walk in limits.standard(one)]
        found.brackets = limits.find(campaign, job.receivers, walks, batches)
    if "curves" in job.sections:
        found.curves = sweeps.curves(campaign, job.receivers, tuple(sweeps.AXES), batches)
    if "maps" in job.sections:
        found.maps = sweeps.maps(campaign, job.receivers, sweeps.MAPS, max(1, batches // 2))
    if "battery" in job.sections:
        found.classics = battery.run(campaign, job.receivers, max(1, batches // 2))


def summary(found: Findings) -> Iterator[str]:
    """The limits, talk-off and claims, one line each."""
    for (limit, unit), group in groupby(found.brackets, key=lambda one: (one.limit, one.unit)):
        yield f"{limit + ' (' + unit + ')':48} " + "  ".join(f"{one.words():>14}" for one in group)
    for one in found.talkoffs:
        yield f"talk-off {one.source}, {one.receiver}: {one.hits} hits, {one.per_hour} an hour"
    for claim in found.claims:
        words = stats.claim(min(claim.tally.errors, claim.tally.sent), claim.tally.sent)
        yield f"claim {claim.rate:.3g}, {claim.receiver}: {claim.verdict}; {words}"
