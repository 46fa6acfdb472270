"""A package, so that a fixture can last for the ring and no longer."""
