"""This repository's own use of the plugin: nothing but what its tests need."""

from __future__ import annotations

pytest_plugins = ["pytester"]
