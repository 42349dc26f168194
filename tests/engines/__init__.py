"""Tests with real Prefect 1 and Prefect 2 processes."""
