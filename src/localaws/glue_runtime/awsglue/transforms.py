"""Glue's transforms work on DynamicFrames, which this stand-in hasn't got: the module is empty."""
