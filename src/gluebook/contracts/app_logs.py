"""Application logs: one row per record that was logged."""

from __future__ import annotations

from gluebook.contracts.model import LONGEST_TEXT_BYTES, PROVENANCE, Column, Contract, choice, text

LEVELS = ("trace", "debug", "info", "warning", "error", "fatal")

APP_LOGS = Contract(
    name="app_logs",
    title="Application logs",
    key=("source", "log_id"),
    newest_by=("log_id",),
    moment="occurred_at",
    append=True,
    columns=(
        text("source", 32, "the system the log comes from", nullable=False),
        text("log_id", 64, "SHA-256 of the whole raw record: what makes it one record", nullable=False),
        Column("occurred_at", "timestamp", "when it was logged", nullable=False),
        choice("level", LEVELS, "how severe it is", nullable=False),
        Column("is_error", "boolean", "level is error or fatal", nullable=False),
        text("service", 128, "the service that logged", nullable=False),
        text("component", 128, "the part of the service"),
        text("context", 255, "thread, connection or container"),
        Column("event_code", "bigint", "the service's number for this kind of event"),
        Column("duration_ms", "bigint", "how long the logged operation took, in milliseconds"),
        text("message", LONGEST_TEXT_BYTES, "what happened"),
        text("attributes", LONGEST_TEXT_BYTES, "the event's attributes, as JSON text"),
        text("trace_id", 64, "the request it belongs to, through all services"),
        text("span_id", 64, "the step of that request"),
        text("pod", 255, "the Kubernetes pod it ran in"),
        text("node", 255, "the machine it ran on"),
        *PROVENANCE,
    ),
)
