"""Points in time as the API gives them: always with their zone. Knows no table."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

Moment = Annotated[datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))]
"""A moment; one without a zone is UTC, as the database keeps it."""
