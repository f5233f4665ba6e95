"""Opens what the staff's side of the app shares: accounts, sessions, audit log, kept settings."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from knowledge_base.database import migrate, open_database
from web.secrets_file import secret_of
from web.settings import Settings
from web.staff.accounts import Accounts
from web.staff.audit import Audit
from web.staff.kept import Kept
from web.staff.sessions import Sessions

MIGRATIONS = Path(__file__).parent.parent / "migrations"
VERSION_TABLE = "web_version"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in, and what they did."""

    engine: Engine
    accounts: Accounts
    sessions: Sessions
    audit: Audit
    kept: Kept
    setup_file: Path
    shared: str = field(default="", repr=False)  # the secret that machines share

    def setup_token(self) -> str | None:
        """The secret of the one-time setup link; None once there is an account."""
        if self.accounts.empty:
            return secret_of(self.setup_file, self.shared)
        self.setup_file.unlink(missing_ok=True)
        return None


def open_access(settings: Settings) -> Access:
    """The staff's tables of this data folder, brought up to date. Raises KnowledgeBaseError or WebError."""
    engine = open_database(settings.database)
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    sessions = Sessions(engine, secret_of(settings.data / "staff.secret", settings.secret))
    setup = settings.data / "setup.secret"
    return Access(engine, Accounts(engine), sessions, Audit(engine), Kept(engine), setup, settings.secret)
