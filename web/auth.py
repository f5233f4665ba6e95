"""Who may do what: visitor tokens, the API key, allowed origins. Knows nothing of conversations' contents."""

import hmac
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer

from web.secrets_file import kept_secret, secret_of
from web.settings import Settings

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom a token speaks for: one conversation, and the numbering its frames had when it was issued."""

    conversation_id: str
    epoch: str = ""


class Tokens:
    """Signs and reads visitor tokens: bound to one conversation, worthless after `lifetime` seconds.

    One from the future counts as young: another server made it, or the clock has gone back since.
    """

    def __init__(self, secret: str, lifetime: int) -> None:
        self.lifetime = lifetime
        self._serializer = URLSafeTimedSerializer(secret, salt="kefu-visitor")

    def issue(self, visitor: Visitor) -> str:
        """A fresh token."""
        return str(self._serializer.dumps([visitor.conversation_id, visitor.epoch]))

    def read(self, token: str) -> Visitor | None:
        """Whom the token speaks for; None when it is forged, damaged or expired."""
        try:
            claim, issued = self._serializer.loads(token, return_timestamp=True)
        except (BadSignature, UnicodeError):
            return None
        if abs(time.time() - issued.timestamp()) > self.lifetime:
            return None
        match claim:
            case [str(conversation_id), str(epoch)]:
                return Visitor(conversation_id, epoch)
        return None


class ApiKey:
    """The bearer key of the completions API."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def admits(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries the key; takes the same time for every wrong key."""
        scheme, _, given = (authorization or "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._key)
        return same and scheme.lower() == "bearer"


class Origins:
    """The sites whose pages may talk to us: our own, and those listed ("*": any)."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._any = "*" in allowed
        self._allowed = {_listed(origin) for origin in allowed if origin != "*"}

    def admit(self, origin: str | None, host: str | None) -> bool:
        """Whether a request with these Origin and Host headers may go on; no Origin means no browser."""
        if origin is None or self._any:
            return True
        address = _address(origin)
        if address is None:
            return False
        if address in self._allowed:
            return True
        return address[1:] == _host_and_port(host or "", _PORTS[address[0]])


def visitor_tokens(settings: Settings) -> Tokens:
    """The tokens of this data folder, or of all machines with that secret; a folder's is made at first start."""
    return Tokens(secret_of(settings.data / "visitor.secret", settings.secret), round(settings.token_hours * 3600))


def api_key(settings: Settings) -> ApiKey:
    """The key from the settings, else that of this data folder, made at first start."""
    return ApiKey(settings.api_key or kept_secret(settings.data / "api.key", prefix="kefu-"))


def _listed(origin: str) -> tuple[str, str, int]:
    address = _address(origin)
    if address is None:
        raise ValueError(f"origin {origin!r} is no site; write it like https://shop.example in KEFU_ORIGINS")
    return address


def _address(origin: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(origin)
        scheme, host, port = parts.scheme, parts.hostname, parts.port  # the first two in small letters
    except ValueError:
        return None
    if scheme not in _PORTS or not host:
        return None
    return scheme, host, _PORTS[scheme] if port is None else port


def _host_and_port(host: str, default: int) -> tuple[str, int] | None:
    address = _address(f"http://{host}")
    if address is None:
        return None
    explicit = urlsplit(f"http://{host}").port
    return address[1], default if explicit is None else explicit
