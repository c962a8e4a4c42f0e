"""Which keys each kind of judgement takes, so that a slip of the pen is an error and never an empty search."""

from __future__ import annotations

import json
from typing import Any

from offhook.bench.record.judge import RULES

KEYS = {
    "interval": {"from", "to"},
    "count": {"observed", "kind", "probe", "wire", "subject", "not_subject", "where"},
    "equal": {"observation", "key", "expected"},
    "digits": {"wire", "expected", "longest_s"},
    "no_digits": {"wires", "except", "forbidden", "apart_from"},
    "tone": {"wire", "expected"},
    "voice": {"wire"},
    "search": {"forbidden", "kinds", "apart_from"},
    "figure": {"value", "u", "n"},
    "reading": {"of", "size"},
    "note": {"verdict", "reason"},
    "lamp": {"subject", "colour", "on_s", "off_s"},
    "cadence": {"observed", "subject", "pattern"},
    "rate": {"of", "where", "claimed"},
    "digit_errors": {"of", "wire", "claimed"},
    "percentile": {"of", "title", "steps", "where", "share", "claimed"},
}
COMMON_KEYS = {"from_s", "to_s", "at_least", "at_most", "hint"}


def clean_spec(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The spec as it is stored: a trailing underscore dropped, loose keys of a ``count`` gathered under ``where``.

    Raises ValueError for an unknown kind or a key that the kind does not have.
    """
    if kind not in RULES:
        raise ValueError(f"unknown kind of judgement {kind!r}: known are {', '.join(RULES)}")
    clean: dict[str, Any] = {}
    where: dict[str, Any] = dict(spec.get("where") or {})
    for key, value in spec.items():
        name = key.removesuffix("_")
        if name in KEYS[kind] or name in COMMON_KEYS:
            clean[name] = value
        elif kind == "count":
            where[name] = value
        else:
            raise ValueError(f"a judgement of kind {kind!r} has no {name!r}: it has {', '.join(sorted(KEYS[kind]))}")
    if where:
        clean["where"] = where
    return dict(json.loads(json.dumps(clean)))
