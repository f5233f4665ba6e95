"""Secrets: kept in files of the data folder, readable by its owner only, or derived from one that machines share.

Knows not what they protect.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from web.errors import WebError


def secret_of(path: Path, shared: str) -> str:
    """The secret of that file, or where machines share one, what is derived from it under the file's name."""
    return hmac.new(shared.encode(), path.name.encode(), hashlib.sha256).hexdigest() if shared else kept_secret(path)


def kept_secret(path: Path, prefix: str = "") -> str:
    """The secret in `path`; made at first use, atomically and with mode 0600, and the same ever after.

    Raises WebError when the folder cannot be written or the file holds no secret.
    """
    try:
        if not path.exists():
            _make(path, prefix + secrets.token_urlsafe(32))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        secret = path.read_text(encoding="ascii").strip()
    except OSError as problem:
        raise WebError(
            f"cannot keep a secret in {path}: {problem.strerror}; "
            "free some disk space, or set KEFU_DATA to a folder that this account may write to"
        ) from problem
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < 32:
        raise WebError(f"{path} is damaged; delete it and start again to get a new one")
    return secret


def _make(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike rename it never replaces the secret that another process just made
        except FileExistsError:
            return
    finally:
        draft.unlink()
