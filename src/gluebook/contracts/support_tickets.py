"""Support tickets: one row per ticket, as its newest revision says."""

from __future__ import annotations

from gluebook.contracts.model import LONGEST_TEXT_BYTES, PROVENANCE, Column, Contract, choice, person, text

STATUSES = ("new", "active", "pending", "resolved", "closed")
PRIORITIES = ("critical", "high", "moderate", "low")
GRADES = ("high", "medium", "low")

SUPPORT_TICKETS = Contract(
    name="support_tickets",
    title="Support tickets",
    key=("source", "ticket_id"),
    newest_by=("revision", "updated_at", "_row_hash"),
    moment="updated_at",
    columns=(
        text("source", 32, "the system the ticket comes from", nullable=False),
        text("ticket_id", 64, "the ticket's number in that system", nullable=False),
        Column(
            "revision",
            "integer",
            "how often it had been modified, as far as its source tells",
            nullable=False,
        ),
        choice("status", STATUSES, "where the ticket stands", nullable=False),
        choice("priority", PRIORITIES, "how urgent it is to solve it"),
        choice("impact", GRADES, "how much it affects"),
        choice("urgency", GRADES, "how soon it is needed"),
        text("channel", 64, "how the ticket was raised"),
        text("category", 255, "first level of the topic"),
        text("subcategory", 255, "second level of the topic"),
        text("symptom", 255, "what the requester saw"),
        text("location", 255, "where it happened"),
        text("configuration_item", 255, "the affected thing in the configuration database"),
        text("assignment_group", 255, "the team that works on it"),
        person("requester", "who has the problem"),
        person("opened_by", "who opened the ticket"),
        person("assigned_to", "who works on it"),
        person("resolved_by", "who solved it"),
        Column("opened_at", "timestamp", "when it was opened"),
        Column("created_at", "timestamp", "when the record was created"),
        Column("updated_at", "timestamp", "when this revision was written", nullable=False),
        Column("resolved_at", "timestamp", "when it was solved"),
        Column("closed_at", "timestamp", "when it was closed"),
        Column("minutes_to_resolve", "bigint", "whole minutes from opened_at to resolved_at, never negative"),
        Column("reassignment_count", "integer", "how often it changed hands"),
        Column("reopen_count", "integer", "how often it was reopened"),
        Column("is_active", "boolean", "whether it still counts as open work"),
        Column("made_sla", "boolean", "whether the agreed time was kept"),
        Column("used_knowledge", "boolean", "whether a knowledge article was used"),
        Column("priority_confirmed", "boolean", "whether the priority was double-checked"),
        text("notify", 64, "how the requester is notified"),
        text("problem_id", 64, "the problem record it belongs to"),
        text("change_request", 64, "the change that is to solve it"),
        text("vendor", 255, "the supplier in charge"),
        text("caused_by", 64, "the change that caused it"),
        text("close_code", 64, "how it was closed"),
        text("subject", 1024, "what the ticket is about, in a few words"),
        text("description", LONGEST_TEXT_BYTES, "what the requester wrote"),
        text("resolution", LONGEST_TEXT_BYTES, "what was answered in the end"),
        text("product", 255, "the product it is about"),
        Column("purchased_on", "date", "the day the product was bought"),
        Column("first_response_at", "timestamp", "when the requester was first answered"),
        Column("satisfaction_rating", "integer", "the requester's rating of the help, 1 to 5"),
        Column(
            "resolved_before_response", "boolean", "whether it claims to be solved before it was answered"
        ),
        Column("orphan_resolution_time", "boolean", "whether resolved_at lacks what belongs to a solution"),
        text("_row_hash", 64, "fingerprint of the revision, however its file writes it", nullable=False),
        *PROVENANCE,
    ),
)
