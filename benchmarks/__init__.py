"""What is claimed about speed and memory, measured side by side in one run."""
