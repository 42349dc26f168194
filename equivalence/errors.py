"""What can go wrong: one base class, and the split between a user's mistake and a failure of the tool."""

from __future__ import annotations


class EquivalenceError(Exception):
    """Base of every error this package raises; the text says what happened, where, and what to do next."""


class UsageProblem(EquivalenceError):
    """A mistake in configuration, paths or environments: ends the session with exit status 4."""


class WorkerFailure(EquivalenceError):
    """A worker process could not be started, or answered with something that is no message of ours."""
