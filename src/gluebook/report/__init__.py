"""The quality report: the data of a day, and whether it can be trusted."""
