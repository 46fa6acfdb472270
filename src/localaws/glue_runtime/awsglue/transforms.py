"""Glue's transforms work on DynamicFrames, which this stand-in lacks: the module is empty."""
