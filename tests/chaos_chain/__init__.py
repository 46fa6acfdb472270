"""Chaos, second level: the whole chain on the laptop AWS, with processes that are really killed."""
