"""The pipeline's steps: gather, decide, act. Thin; the decisions are in `core`, the talking in `aws`."""
