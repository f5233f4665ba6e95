"""What Prometheus reads: counts and times of one app, in a registry of its own. Knows no customer's words."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from bot.types import Answer

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters and histograms, all named kefu_*; the process's memory, files and processor time beside them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        ProcessCollector(registry=registry)
        self.answers = Counter("kefu_answers", "Answers given.", ["kind", "language"], registry=registry)
        self.steps = Histogram(
            "kefu_step_seconds", "Time of one step of a reply.", ["step"], buckets=_SECONDS, registry=registry
        )
        self.reply = Histogram(
            "kefu_reply_seconds", "From message to final frame.", buckets=_SECONDS, registry=registry
        )
        self.running = Gauge("kefu_replies_running", "Replies queued or in progress.", registry=registry)
        self.connections = Gauge("kefu_connections", "Open chat connections.", registry=registry)
        self.tasks = Gauge("kefu_tasks", "Tasks in the event loop; grows for ever only by a leak.", registry=registry)
        self.limited = Counter("kefu_rate_limited", "Requests refused by a limit.", ["limit"], registry=registry)
        self.errors = Counter("kefu_errors", "Error frames and responses sent.", ["code"], registry=registry)
        self.feedback = Counter("kefu_feedback", "Judgements on answers.", ["helpful"], registry=registry)

    def answered(self, answer: Answer) -> None:
        """Count one finished answer with the time of its steps."""
        self.answers.labels(answer.kind, answer.language).inc()
        for step, milliseconds in answer.latency_ms.items():
            self.steps.labels(step).observe(milliseconds / 1000)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
