"""Comparison of traces: ``traces.compare`` is the way in; pure, no process, no file."""
