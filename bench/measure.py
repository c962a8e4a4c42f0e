"""``measure(title, value, at_most_s=..., req=...)``: one figure of a test, with its limit, on record."""

from __future__ import annotations

from offhook.bench.record import Elapsed, Judgement, RunRecord


class Measure:
    """Judges a figure at once; a test whose figure fails its limit fails when it ends, after all others were taken.

    Keep ``u`` honest: it is the expanded uncertainty (k=2) in the unit of the figure.
    """

    def __init__(self, record: RunRecord) -> None:
        self._record = record

    def __call__(
        self,
        title: str,
        value: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        at_most_s: float | None = None,
        at_least_s: float | None = None,
        unit: str = "",
        u: float | None = None,
        n: int = 1,
        req: str = "",
    ) -> Judgement:
        """Judge ``value`` against limits; ``at_most_s`` and ``at_least_s`` say that it is in seconds.

        A value that knows which observations it lies between (:class:`Elapsed`) is recomputed from them. Raises
        ValueError without a limit, or with limits in two units.
        """
        in_seconds = at_most_s is not None or at_least_s is not None
        if in_seconds and (at_most is not None or at_least is not None or unit not in ("", "s")):
            raise ValueError(f"{title}: limits in seconds and in another unit")
        high = at_most if at_most_s is None else at_most_s
        low = at_least if at_least_s is None else at_least_s
        if high is None and low is None:
            raise ValueError(f"{title}: a measurement needs a limit")
        unit = "s" if in_seconds else unit
        if isinstance(value, Elapsed) and in_seconds and u is None:
            span = {"from": value.start, "to": value.stop}
            return self._record.judge(req, title, "interval", unit=unit, **span, at_least=low, at_most=high)
        spec = {"value": float(value), "u": u or 0.0, "n": n, "at_least": low, "at_most": high}
        return self._record.judge(req, title, "figure", unit=unit, **spec)
