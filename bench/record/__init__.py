"""The evidence of a run: writing it as it happens, reading it, and judging it from the folder alone.

=====================  ==================================================================================
``RunRecord.create``   a new run folder; ``observe``, ``step``, ``judge``, ``record_audio``, ``seal``
``open_run(folder)``   :class:`Evidence`: rows and audio of any run folder, sealed or not
``judge(folder)``      :class:`RunResult`: every verdict recomputed; iterates over the judgements
``fingerprint``        one number for everything a run saw and decided
=====================  ==================================================================================
"""

from offhook.bench.record.fingerprint import fingerprint
from offhook.bench.record.judge import UNVERIFIED, AttemptResult, RunResult, judge, reach
from offhook.bench.record.reader import Evidence, open_run
from offhook.bench.record.schema import Attempt, Clip, Elapsed, Judgement, Observation, Step, Verdict
from offhook.bench.record.verdicts import combine, within, worst
from offhook.bench.record.writer import RunRecord

__all__ = [
    "UNVERIFIED",
    "Attempt",
    "AttemptResult",
    "Clip",
    "Elapsed",
    "Evidence",
    "Judgement",
    "Observation",
    "RunRecord",
    "RunResult",
    "Step",
    "Verdict",
    "combine",
    "fingerprint",
    "judge",
    "open_run",
    "reach",
    "within",
    "worst",
]
