"""What the explore notebooks look at raw files with: pandas and the pipeline's own pure parts, no Spark."""
