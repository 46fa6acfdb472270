"""What runs in Lambda: admit, load and sweep."""
