"""The stakeholder's report: what became of a day's data, and whether it can be trusted."""
