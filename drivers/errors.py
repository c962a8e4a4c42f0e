"""Every error Offhook raises on purpose.

::

    OffhookError
    +-- ConfigError          a station file, option or argument is wrong (also ValueError)
        +-- Unavailable      a driver needs what this machine or this run has not: what needs it is not run
    +-- NotAllowed           the bench refuses by rule: number not on the allow list, press would make a chord
    +-- Busy                 somebody else holds the station or the port
    +-- NotDone              a person was asked to do something and did not
    +-- DeviceError          a thing on a wire did not behave
        +-- DeviceBusy       another program has it
        +-- DeviceGone       unplugged, closed, connection refused or lost
        +-- DeviceTimeout    no answer within its limit (also TimeoutError)
        +-- DeviceRefused    it answered "no", or something its protocol does not allow

Each says which resource, which operation, and what to try; ``str(error)`` is the message a tired engineer reads.
"""

from __future__ import annotations


class OffhookError(Exception):
    """Base of all: ``resource`` (a station key, file or port), ``operation``, ``hint`` (what to try)."""

    def __init__(self, resource: str, operation: str, detail: str = "", hint: str = "") -> None:
        self.resource = resource
        self.operation = operation
        self.detail = detail
        self.hint = hint
        text = f"{resource}: {operation}"
        if detail:
            text += f": {detail}"
        if hint:
            text += f" (try: {hint})"
        super().__init__(text)

    def __reduce__(self) -> tuple[type[OffhookError], tuple[str, str, str, str]]:
        """Comes back whole from a worker process."""
        return type(self), (self.resource, self.operation, self.detail, self.hint)


class ConfigError(OffhookError, ValueError):
    """A station file, option or argument is wrong."""


class Unavailable(ConfigError):
    """A driver needs what this machine or this run has not (a library, real time): what needs it is not run."""


class NotAllowed(OffhookError):
    """The bench refuses by rule, before anything moved."""


class Busy(OffhookError):
    """Somebody else holds the resource; the message says who and since when."""


class NotDone(OffhookError):
    """A person was asked to do something, and nothing shows that it was done: the test has not been run."""


class DeviceError(OffhookError):
    """A thing on a wire did not behave."""


class DeviceGone(DeviceError):
    """Unplugged, closed, refused or lost."""


class DeviceTimeout(DeviceError, TimeoutError):
    """No answer within the limit."""


class DeviceBusy(DeviceError):
    """Another program has the device; the message says which, where that is known."""


class DeviceRefused(DeviceError):
    """It answered "no", or something its protocol does not allow."""
