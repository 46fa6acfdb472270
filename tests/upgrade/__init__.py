"""What a release has stored: recorded once (record.py), and put back below the working tree (restore.py)."""
