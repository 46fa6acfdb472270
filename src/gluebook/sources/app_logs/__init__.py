"""Sources of application logs."""
