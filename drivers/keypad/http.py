"""Keys of a desk phone that presses them itself when its web server is asked to.

Yealink's "action URI" is the pattern: ``GET /servlet?key=5``, with ``*`` as it is and ``#`` as ``POUND``, answered by
200 (Administrator's Guide for SIP-T2/T4/T5 phones, chapter "Action URI"). The phone must allow it
(``features.action_uri.enable``, ``features.action_uri_limit_ip``), and may ask for a login. Others differ in the path
(``path = "/fcgi/do?keydown={key}"``) and in what they call a key (``names``).

The phone keeps the time of such a press: how long the key is down, nobody outside knows. The bench knows when it asked
and when the phone said that it was done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import httpx

from offhook.drivers.clock import Clock
from offhook.drivers.errors import ConfigError, DeviceGone, DeviceRefused, DeviceTimeout, NotAllowed, OffhookError
from offhook.drivers.keypad import OnPress, Press
from offhook.drivers.links import Wires

KEYS = "123456789*0#"
NAMES = {"#": "POUND"}
PATH = "/servlet?key={key}"
TIMEOUT_S = 1.5
GAP_S = 0.2
REFUSALS = {
    401: "is user right, and secret?",
    403: "does the phone allow remote control from this address? (features.action_uri_limit_ip)",
    404: "is path right for this phone?",
}


class HttpKeypad:
    """The keys of one phone; see :class:`offhook.drivers.keypad.Keypad`."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        client: httpx.Client,
        path: str = PATH,
        names: Mapping[str, str] = NAMES,
        gap_s: float = GAP_S,
    ) -> None:
        """``client`` has the phone's address and login; ``gap_s`` is from one answer to the next request."""
        self._name = f"keypad of {name}"
        if "{key}" not in path:
            raise ConfigError(self._name, f'path = "{path}"', "there is no {key} in it", f'path = "{PATH}"')
        self._clock = clock
        self._client = client
        self._path = path
        self._names = {**NAMES, **names}
        self._gap_s = gap_s
        self._down = ""
        self._listeners: list[OnPress] = []

    @classmethod
    def open(cls, name: str, options: Mapping[str, Any], wires: Wires) -> Self:
        """``options``: ``url``, and ``path``, ``names``, ``user``, ``secret``, ``timeout_s``, ``gap_s`` if need be."""
        if not options.get("url"):
            raise ConfigError(f"keypad of {name}", "open", "no url is named", 'url = "http://10.0.3.51"')
        url, transport = wires.http(str(options["url"]))
        login = (str(options["user"]), str(options.get("secret", ""))) if "user" in options else None
        timeout_s = float(options.get("timeout_s", TIMEOUT_S))
        # no proxy from the environment: a phone is on the lab's own network
        client = httpx.Client(base_url=url, transport=transport, auth=login, timeout=timeout_s, trust_env=False)
        path, names = str(options.get("path", PATH)), dict(options.get("names", {}))
        return cls(name, wires.clock, client, path, names, float(options.get("gap_s", GAP_S)))

    @property
    def keys(self) -> str:
        """The twelve keys, and those that ``names`` adds."""
        return KEYS + "".join(key for key in self._names if key not in KEYS)

    def press(self, key: str, hold_s: float | None = None, gap_s: float | None = None) -> Press:
        """Ask the phone to press one key, once: a request that fails is not repeated, as the key may have gone down.

        Raises ConfigError for a ``hold_s``, which only the phone knows, and what a Keypad raises.
        """
        self._check(key, hold_s)
        if self._down:
            detail = f'key "{self._down}" is under way'
            raise NotAllowed(self._name, f'press "{key}"', detail, "press one after the other")
        self._down = key
        try:
            sent_s = self._clock.now_s()
            self._ask(key)
            done = Press(key, sent_s, self._clock.now_s(), "phone")
            for listener in self._listeners:
                listener(done)
            self._clock.wait_until(done.opened_s + (self._gap_s if gap_s is None else gap_s))
        finally:
            self._down = ""
        return done

    def dial(self, text: str) -> list[Press]:
        """Press keys one after the other; spaces are skipped, an unknown key is refused before the first is pressed."""
        digits = text.replace(" ", "")
        for key in digits:
            self._check(key, None)
        return [self.press(key) for key in digits]

    def on_press(self, listener: OnPress) -> None:
        """Tell the listener of every press that the phone acknowledged."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Let go of the connection."""
        with contextlib.suppress(OffhookError, OSError):
            self._client.close()

    def _check(self, key: str, hold_s: float | None) -> None:
        operation = f'press "{key}"'
        if len(key) != 1 or key not in self.keys:
            raise ConfigError(
                self._name, operation, f"no such key (it has {self.keys})", "names in the keypad's section"
            )
        if hold_s is not None:
            detail = f"hold of {hold_s:g} s: a phone that is asked to press a key keeps the time itself"
            raise ConfigError(self._name, operation, detail, "relay contacts at its keypad")

    def _ask(self, key: str) -> None:
        operation = f'press "{key}"'
        path = self._path.replace("{key}", quote(self._names.get(key, key), safe="*"))
        try:
            answer = self._client.get(path)
        except httpx.TimeoutException as error:
            detail = f"no answer to GET {path} from {self._client.base_url}; the key may be down or not"
            raise DeviceTimeout(
                self._name, operation, detail, "is the phone up? end the call and start again"
            ) from error
        except httpx.HTTPError as error:
            detail = f"{self._client.base_url}: {error}"
            raise DeviceGone(
                self._name, operation, detail, "is the phone's address right, its web server on?"
            ) from error
        if answer.status_code != 200:
            hint = REFUSALS.get(answer.status_code, "is this phone's path and names right?")
            detail = f"{self._client.base_url} answered {answer.status_code} to GET {path}"
            raise DeviceRefused(self._name, operation, detail, hint)
