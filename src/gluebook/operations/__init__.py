"""What an operator runs: status, replay, reconcile, repair, backfill, lineage."""
