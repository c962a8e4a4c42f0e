"""The station file that ``offhook new station`` writes: complete, commented, and right as it stands.

Every section is there, every option of it is there or stands commented out with what it means. As written everything
is simulated, so ``offhook check`` passes at once; a lab then gives one wire after the other its real address.
"""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from offhook.bench.station_model import StationModel
from offhook.drivers import registry

TEMPLATE = """\
# {name}: a station file for Offhook. It says which wires the bench has, what is on them, and what it may dial.
#
# As it stands everything is simulated:   offhook check {file}
# For a lab: give each link its real address, take out [world], and set role. While some wires are real and others
# still simulated, add --realtime to the commands. Then:   offhook check, offhook calibrate, offhook run
#
# Addresses: /dev/serial/by-id/... or COM3 (a serial port), tcp://HOST:PORT, http://HOST:PORT, end://NAME ([world]).
# BOARD/NUMBER is relay, pin or channel NUMBER (from 0) of a board of this file. Options that start with "#" have the
# value that is used where they stay commented out, or show how they look.
# An editor completes this file with the schema:   offhook schema > station.schema.json

schema_version = 1
name   = "{name}"
role   = "R1"                         # R1 all simulated; R2 real PBX and phones; R3 real cloud; R4 all real;
                                      # R5 the bench's own wires, looped back
region = "US"                         # whose tones and ringing: US, EU, UK or JP

[dut]                                 # what is under test: page one of the report
vendor   = "Example Telecom"
model    = "Office 40"
firmware = "12.4.1"
serial   = "X40-00317"

[world]                               # who is at the end:// addresses; leave it out where every wire is real
end      = "simulated"
#faults   = ["cut:cti"]               # faults switched on at the far end; docs/faults.md has them all
#realtime = false                     # true: as if every command had --realtime

[pbx]                                 # the bench's own CTI session
driver         = "csta"               # {cti}
link           = "end://cti"          # tcp://10.0.3.2:8800
outside_prefix = "0"                  # keyed before an outside number
lock_prefix    = "*66"                # what locks an extension that calls it
#dnd_on         = "*78"               # what a phone dials to be left in peace (do not disturb)
#dnd_off        = "*79"               # ... and to be called again
#user           = "bench"             # ami: its login
#secret         = "env:LAB_PBX"       # never the secret itself: NAME of the environment
#heartbeat_s    = 0.0                 # ask the PBX so often whether it is there (csta); 0: never
#capabilities   = ["lock_notify"]     # for a PBX that does not say what it can do

[tap]                                 # a passive copy of the CTI link between cloud and PBX
dialect = "csta"                      # csta or ami
link    = "end://cti-tap"             # tcp://10.0.3.9:8801

[cloud]                               # the service that associates phones with accounts
driver   = "http"                     # {cloud}
url      = "end://cloud"              # https://service.example
admin    = "admin-token"              # "env:LAB_ADMIN": a real service's secrets never stand in a file
accounts = {{ alice = "alice-pw", bob = "bob-pw" }}   # any two: {{ carol = "env:LAB_CAROL", ... }}
names    = {{ alice = "Alice Martin", bob = "Bob Stone" }}   # as the PBX directory has them
#foreign  = "2001"                    # an extension of another company: to be refused

[audio.rack]                          # a sound card; more of them: [audio.NAME]
driver   = "pipe"                     # {audio}
link     = "end://rack"               # pipe only
rate_hz  = 8000                       # of the bench
channels = 6
#device    = "Scarlett 18i20 USB"     # sounddevice: by name, never by index (then no link)
#host_api  = "ALSA"                   # sounddevice: where the name alone is not enough
#card_hz   = 48000                    # sounddevice: the rate the card runs at
#latency_s = 0.06                     # sounddevice: what its driver is asked to buffer
#loop      = 5                        # sounddevice: an output wired to its own input, for time and level

[relay.keys1]                         # a relay board; more of them: [relay.NAME]
driver   = "numato"                   # {relay}
link     = "end://keys1"              # "/dev/serial/by-id/usb-Numato_Systems-if00"; hid://16C0:05DF for hid
channels = 16
#baud       = 9600
#timeout_s  = 1.0                     # how long it may take to answer
#spacing_ms = 10                      # not numato: what it needs between two commands
#model      = "waveshare"             # modbus: waveshare, generic or r4d8a08
#unit       = 1                       # modbus: its address on the bus
#base       = 0                       # modbus: the first relay's coil or register
#on_value   = 256                     # modbus: what closes a relay
#pulses     = true                    # modbus: false, and the bench times every press itself
#read_back  = true                    # modbus, lcus: false for a board that cannot be read
#options    = {{ colour = "red" }}      # for a driver from another package

[relay.keys2]
driver   = "numato"
link     = "end://keys2"
channels = 16

[sense.arduino]                       # digital inputs; more of them: [sense.NAME]
driver = "firmata"                    # {sense}
link   = "end://sense"                # "/dev/serial/by-id/usb-Arduino_Uno-if00"
#baud        = 57600
#pins        = [2, 3, 4, 5, 8, 9]     # all of the board's, if not these
#pull_up     = false                  # true for contacts to ground
#active_low  = [2]                    # pins that are active when low, as contacts to ground make them
#debounce_ms = 0                      # an edge counts once the level held so long

#[instrument.meter]                   # a meter, scope or generator that speaks SCPI; real time only
#driver           = "dmm"             # {instrument}
#link             = "tcp://10.0.3.20:5025"   # or hislip://HOST, /dev/..., TCPIP::10.0.3.20::INSTR
#vendor           = "Keysight"        # as *IDN? says them: another instrument at that address is refused
#model            = "34465A"
#serial           = "MY54500001"
#line             = "desk-2"          # the analog phone at whose line its leads are
#timeout_s        = 3.0
#baud             = 9600
#accuracy_percent = 0.1               # dmm: expanded uncertainty in percent of the range
#reads            = ["voltage"]       # dmm: and "current", if it is in the loop too
#channel          = 1                 # scope: whose probe is at the line
#most_dbm         = 0.0               # generator: the most it may send into 600 ohm

[phone.desk-1]                        # a telephone; more of them: [phone.NAME]
extension  = "1001"
kind       = "ip"                     # ip, tdm, analog or soft
name       = "Martin, Alice"          # its entry in the PBX directory
ddi        = "+33390671001"           # its direct number
local_code = "8642"                   # what unlocks it; known to phone and PBX only
handset    = "rack/0"                 # the channel at its handset's cord
hook       = {{ contact = "keys1/8", closed = "off-hook", safe = "open" }}   # safe: the position that is on hook
keypad     = {{ rows = ["keys1/0", "keys1/1", "keys1/2", "keys1/3"], columns = ["keys1/4", "keys1/5", "keys1/6"] }}
ring       = "arduino/2"              # a sensor at its bell or lamp
hook_sense = "arduino/3"              # a sensor at its cradle switch
lamp       = {{ red = "arduino/14", green = "arduino/15" }}   # light sensors before its line lamp, one a colour
#lamps      = {{ rest = "dark", ringing = "red flash", in_use = "red", locked = "green slow wink" }}  # its maker's
#shows_lock = "lamp"                  # that it is locked: lamp, tone (stutter dial tone) or display (not seen here)
#ring_s     = [2.0, 4.0]              # seconds of ringing and pause in turn, if not as the region has it
#lock       = "notify"                # if not as [options] lock says
#press_ms   = 100                     # how long a key is held
#gap_ms     = 100                     # from one key to the next
# Other keypads, each in place of the one above:
#keypad     = {{ keys = {{ 1 = "keys1/0", 2 = "keys1/1", 3 = "keys1/2" }} }}   # one contact a key; all of 1-9 * 0 #
#keypad     = {{ driver = "http", url = "http://10.0.3.51", names = {{ "#" = "POUND" }}, timeout_s = 2.0 }}
#keypad     = {{ driver = "http", url = "http://10.0.3.9", path = "/?key={{key}}", user = "me", secret = "env:LAB_PW" }}
#keypad     = {{ driver = "operator", patience_s = 60.0 }}   # a person presses what the bench asks for

[phone.desk-2]
extension  = "1002"
kind       = "analog"
name       = "Bob Stone"
ddi        = "+33390671002"
local_code = "7531"
lock       = "prefix"
handset    = "rack/1"
hook       = {{ contact = "keys2/8", closed = "off-hook", safe = "open" }}
keypad     = {{ rows = ["keys2/0", "keys2/1", "keys2/2", "keys2/3"], columns = ["keys2/4", "keys2/5", "keys2/6"] }}
ring       = "arduino/4"
hook_sense = "arduino/5"

[trunk.co]                            # outside lines
seized = ["arduino/8", "arduino/9"]   # a loop-current sensor at each

[ivr.1]                               # a port of the voice service; more of them: [ivr.NAME]
number = "+33390677069"
heard  = "rack/2"                     # towards the service
spoken = "rack/3"                     # from it

#[linesim.tls]                        # a Teltone line simulator at one of its lines; set anew at each start
#driver            = "teltone"        # {linesim}
#model             = "TLS-5C"         # TLS-3B, TLS-4A, TLS-5A to TLS-5D
#line              = "rack/5"         # the audio channel at that line, both directions
#loop              = "keys1/9"        # the relay that closes its loop
#dial_tone_hz      = "350+440"        # or 400, 440, 480, 620, "350+440 stutter"
#dial_tone_delay_s = 0.0
#second_ring_s     = [1.0, 3.0]       # how its second number rings: on and off, in steps of 0.1
#caller_id         = "multiple"       # off, single (the number) or multiple (number, name, date and time)
#program           = [[34, 1]]        # further commands as in its manual: *34#1#
#options           = {{ colour = "red" }}   # for a driver from another package

#[loop.a]                             # a cable from an output to an input: offhook calibrate, offhook run (role R5)
#play  = "rack/4"
#hear  = "rack/4"
#meter = "meter"                      # the dmm across its termination: offhook calibrate --meter reads it by itself

#[contact.a]                          # a relay wired to a sensor of the bench's own: calibration times relays by it
#contact = "keys1/15"
#sense   = "arduino/12"

[dial]
allow = [                             # everything else is refused before a relay moves; x: any digit
  "0033390677069", "1001", "1002",    # the voice service as it is dialled, the phones
  "05550100",                         # the outside number by which the lock tests see whether a call goes out
  "*66",                              # pbx.lock_prefix
]

[guardian]                            # opens relays, switches generators off when the bench cannot
hung_s = 2.0                          # a bench that holds a relay and shows no life for so long is ended

[options]                             # how the flows run here
lock    = "notify"                    # how S5 locks: notify, prefix or none
s3      = true                        # the account completes the request before anything moves
context = true                        # the context's digits follow the call
ddi     = true                        # the calling number is compared
"""
"""The keys of a section that are not written out here are added from the model: :func:`station_text`."""


def station_text(name: str, file: str) -> str:
    """The text of a new station file. ``name`` is the station's."""
    drivers = {
        kind: "one of " + ", ".join(each.removeprefix(f"{kind}.") for each in registry.known(kind))
        for kind in ("cti", "cloud", "audio", "relay", "sense", "instrument", "linesim")
    }
    return _complete(TEMPLATE.format(name=name, file=file, **drivers))


def options_of(text: str) -> dict[str, set[str]]:
    """The keys that stand under each section of a file, commented out or not; "" is before the first section."""
    found: dict[str, set[str]] = {"": set()}
    section = ""
    for line in text.splitlines():
        header = re.match(r"#?\[(\w+)", line)
        key = re.match(r"#?(\w+) *= ", line)
        if header:
            section = header[1]
            found.setdefault(section, set())
        elif key:
            found[section].add(key[1])
            found[section] |= {f"{key[1]}.{inner}" for inner in re.findall(r"[{,] *(\w+) = ", line)}
    return found


def missing_options(text: str) -> dict[str, list[tuple[str, str]]]:
    """Keys of the model that a file does not show, by section: (key, what it means)."""
    shown = options_of(text)
    lacks: dict[str, list[tuple[str, str]]] = {}
    for section, field in StationModel.model_fields.items():
        model = _model_of(field.annotation)
        if model is None:
            if section not in shown[""]:
                lacks.setdefault("", []).append((section, field.description or ""))
            continue
        keys = shown.get(section, set())
        new = [(key, each.description or "") for key, each in model.model_fields.items() if key not in keys]
        for outer, each in model.model_fields.items():
            inner = _model_of(each.annotation)
            names = inner.model_fields if inner is not None else {}
            new += [(f"{outer}.{key}", names[key].description or "") for key in names if f"{outer}.{key}" not in keys]
        if new:
            lacks[section] = new
    return lacks


def _complete(text: str) -> str:
    """Add what the model has and the text does not, at the end of each section's first table."""
    for section, keys in missing_options(text).items():
        lines = "".join(f"#{key} = ...{' ' * max(1, 32 - len(key))}# {what}".rstrip(" #") + "\n" for key, what in keys)
        start = re.search(rf"^#?\[{section}", text, re.MULTILINE) if section else re.match("", text)
        if start is None:
            text += f"\n#[{section}]\n{lines}"
            continue
        end = text.index("\n\n", start.start()) + 1 if "\n\n" in text[start.start() :] else len(text)
        text = text[:end] + lines + text[end:]
    return text


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model of a section: itself, of a table of them, or of an optional one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is not None:
        return next((model for model in map(_model_of, get_args(annotation)) if model is not None), None)
    return None
