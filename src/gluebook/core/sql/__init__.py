"""The warehouse's SQL as values: built here, sent elsewhere."""
