"""Locking and unlocking a phone (requirements section 7): what the association flow and the lock suite share."""

from __future__ import annotations

from offhook.bench.flows.steps import Script, StepFailed
from offhook.bench.phone import TONE_WINDOW_S, Phone
from offhook.bench.watch import Seen

DIAL_TONES = "dial|stutter|confirmation"
"""The prompt is dial tone, plain or broken; its first second is the same as confirmation tone (three bursts)."""
OUTSIDE = "05550100"
"""An outside number that nobody is disturbed by."""
PROMPT_LIMIT_S = 4.0
PROMPT_HEARD_S = 0.6
"""Listened to before the first key cuts it off: enough to tell stutter from plain dial tone."""


def wait_local_prompt(script: Script, phone: Phone, after: Seen) -> Seen:
    """S24: wait for the prompt tone in the ear; the sighting's ``from_s`` is where the judged audio starts."""
    tone = phone.hears_dial_tone(PROMPT_LIMIT_S)
    if not tone:
        wire = f"handset audio of {phone.name} ({phone.model.handset})"
        raise StepFailed("S24", "the local code prompt in the ear", "no dial tone", wire, "offhook check")
    script.station.clock.sleep(PROMPT_HEARD_S)
    now_s = script.station.clock.now_s()
    from_s = max(after.time_s, now_s - TONE_WINDOW_S)
    return script.station.watch.note("A-h", phone.name, "tone", phone.name, now_s, 0.1, tone=tone, from_s=from_s)


def key_local_code(script: Script, phone: Phone, code: str) -> Seen:
    """S25: key the local code and ``#``; the digits go into no record but the phone's own audio and the relay log."""
    start_s, end_s = phone.key(code + "#")
    return script.station.watch.note("R", phone.name, "local-code-keyed", phone.name, end_s, 0.01, from_s=start_s)


def dial_outside(phone: Phone) -> float:
    """Lift, dial an outside number, return when it was lifted. Raises StepFailed if there is no dial tone."""
    lifted = phone.lift()
    if not phone.hears_dial_tone():
        wire = f"handset audio of {phone.name} ({phone.model.handset})"
        raise StepFailed("off-hook", f"dial tone in the ear of {phone.name}", "none in 3 s", wire, "offhook check")
    phone.dial(OUTSIDE)
    return lifted.time_s
