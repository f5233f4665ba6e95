"""The operators' log: one line or one JSON object per event, on stderr. Never a customer's words.

Messages of foreign exceptions may quote what a customer wrote, so only their types and places are logged.
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.types import BotError
from knowledge_base.types import KnowledgeBaseError

_Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logs(form: Literal["auto", "console", "json"], level: int = logging.INFO) -> None:
    """Send every logger of the process to stderr: coloured lines on a terminal, else JSON."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        without_words,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(as_json)],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # its INFO lines hold URLs with visitors' tokens
    for chatty in ("alembic", "faiss", "httpx", "sentence_transformers"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def without_words(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and places; only our own operators' errors keep their message."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, BaseException):
        raised = (type(raised), raised, raised.__traceback__)
    if raised and raised[0] is not None:
        event["exception"], event["trace"] = _named(raised), "".join(traceback.format_tb(raised[2]))
    return event


def _named(raised: _Raised) -> str:
    kind, problem, _ = raised
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {problem}" if isinstance(problem, BotError | KnowledgeBaseError) else name


def _renderer(as_json: bool) -> Processor:
    if as_json:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
