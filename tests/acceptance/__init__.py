"""Tests through the real command line."""
