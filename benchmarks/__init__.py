"""What is claimed about speed and memory, measured side by side in one run; ``python -m benchmarks`` prints the table."""
