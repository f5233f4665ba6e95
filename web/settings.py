"""Settings of the web server, read once at the edge from KEFU_* variables. Knows not what they steer."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from bot.settings import Settings as BotSettings

Names = Annotated[tuple[str, ...], NoDecode]
"""Names separated by commas in the environment, e.g. KEFU_ORIGINS=https://shop.example,https://www.shop.example"""


class Settings(BotSettings):
    """`origins`: other sites that may embed the widget ("*": any). `api_key` empty: made at first start.

    `secret`: what several machines sign visitors' and staff's sessions with, 32 characters or more; each machine has
    secrets of its own in its data folder when it is empty.

    `trusted_proxies`: addresses or networks whose X-Forwarded-For and -Proto are believed.
    Rates are per minute; `replies` answers are worked on at once and `queue` more may wait. Who closes the console
    keeps conversations for `agent_grace_seconds`; then they wait for somebody else.

    `watch_…`: a release is taken back by itself when, in either language, the share of conversations with a question
    that it did not answer, with a thumb down (of those with a thumb), or with an answer that staff corrected is
    surely higher by more than this than with the release before it; for `watch_days` after it was promoted.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    origins: Names = ()
    trusted_proxies: Names = ()
    api_key: str = ""
    secret: str = Field(default="", pattern=r"^(.{32,})?$", repr=False)
    demo: bool = False
    privacy_url: str = ""
    retention_days: int = Field(default=0, ge=0)  # for which conversations are kept; 0: for ever
    log_format: Literal["auto", "console", "json"] = "auto"

    max_message: int = Field(default=2_000, ge=1)  # characters
    max_frame: int = Field(default=16_384, ge=1_024)  # bytes
    messages_per_visitor: int = Field(default=120, ge=1)
    messages_per_address: int = Field(default=1_200, ge=1)
    sessions_per_address: int = Field(default=300, ge=1)
    sign_ins_per_address: int = Field(default=20, ge=1)
    frames_per_connection: int = Field(default=600, ge=1)
    connections: int = Field(default=1_000, ge=1)
    connections_per_address: int = Field(default=100, ge=1)
    replies: int = Field(default=4, ge=1)
    queue: int = Field(default=60, ge=0)

    token_hours: float = Field(default=24, gt=0)
    replay_frames: int = Field(default=2_000, ge=10)
    replay_seconds: float = Field(default=600, gt=0)
    drain_seconds: float = Field(default=15, ge=0)
    agent_grace_seconds: float = Field(default=30, gt=0)

    watch_abstained: float = Field(default=0.05, ge=0, le=1)
    watch_disliked: float = Field(default=0.10, ge=0, le=1)
    watch_corrected: float = Field(default=0.05, ge=0, le=1)
    watch_days: float = Field(default=14, ge=0)

    @field_validator("origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip().rstrip("/") for name in value.split(",") if name.strip())
