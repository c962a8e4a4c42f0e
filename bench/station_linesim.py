"""Line simulators, as a station file describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from offhook.bench.station_form import Name, RefText, Section, wrong
from offhook.drivers.errors import ConfigError
from offhook.drivers.linesim.teltone_commands import MODELS, commands_of

OWN = ("dial_tone_hz", "dial_tone_delay_s", "second_ring_s", "caller_id", "program")
"""What the teltone driver sets."""


class LineSim(Section):
    """A line simulator at one of its lines; what is set here is programmed each time the station is opened."""

    driver: Name
    model: Annotated[str, Field(min_length=1)]
    line: RefText = Field(description="the audio channel at that line, both directions")
    loop: RefText = Field(description="the relay that closes its loop")
    dial_tone_hz: Literal["350+440", "400", "440", "480", "620", "350+440 stutter"] | None = Field(
        default=None, description="what its lines give when they are lifted"
    )
    dial_tone_delay_s: Annotated[float, Field(ge=0, le=51.1)] | None = Field(
        default=None, description="from lifting to dial tone, in steps of 0.1"
    )
    second_ring_s: Annotated[list[Annotated[float, Field(ge=0, le=6.3)]], Field(min_length=2, max_length=6)] | None = (
        Field(default=None, description="how its second number rings: on and off in turn, in steps of 0.1")
    )
    caller_id: Literal["off", "single", "multiple"] | None = Field(
        default=None, description="of calls to this line: none, the number, or number and name with date and time"
    )
    program: list[list[Annotated[int, Field(ge=0, le=511)]]] | None = Field(
        default=None, description="further commands as in its manual: [23, 10, 30] is *23#10#30#"
    )
    options: dict[Name, str | int | float | bool] | None = Field(
        default=None, description="for a driver from another package"
    )

    @model_validator(mode="after")
    def _its_driver_takes_them(self) -> LineSim:
        if self.driver != "teltone":  # one from another package may take any
            return self
        if self.options:
            raise wrong("the teltone driver takes no options", f"one of {', '.join(OWN)}")
        if self.model not in MODELS:
            raise wrong(f'model = "{self.model}", which cannot be programmed', f"one of {', '.join(MODELS)}")
        try:
            commands_of(self.model_dump())
        except ConfigError as error:
            raise wrong(f"{error.resource}: {error.detail}", error.hint) from None
        return self
