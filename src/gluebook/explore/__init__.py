"""Helpers of the explore notebooks: pandas and the pipeline's own pure parts, no Spark."""
