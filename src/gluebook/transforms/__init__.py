"""The verbs of the job notebooks: on records over Arrow, on rows with Spark."""
