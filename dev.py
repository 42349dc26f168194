#!/usr/bin/env python3
"""Everything a contributor runs, from nothing but Python: ``python3 dev.py portfolio|tests|lint|bench``.

Makes ``.venv`` from the pinned requirements on first use, and again when they change. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements-dev.txt"
BIN = VENV / "bin"

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "portfolio": (("pytest", "--equivalence"),),
    # By file: the files share warm workers within themselves.
    "tests": (("pytest", "-n", "2", "--dist", "loadfile"),),
    "lint": (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports", "--no-cache"),
    ),
    "bench": (("python", "-m", "benchmarks"),),
}


def main() -> int:
    """Run one command; extra arguments go to its first program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for pytest, ruff or the benchmark")
    given = parser.parse_args()
    if sys.version_info < (3, 10):
        print(f"dev.py needs Python 3.10 or later, this is {sys.version.split()[0]}: python3.11 dev.py {given.command}")
        return 2
    prepare()
    status = 0
    for index, (program, *arguments) in enumerate(COMMANDS[given.command]):
        extra = given.arguments if index == 0 else []
        status |= subprocess.call([str(BIN / program), *arguments, *extra], cwd=ROOT)
    return status


def prepare() -> None:
    """Make the virtualenv when there is none for these requirements and this Python."""
    stamp = VENV / "made-from"
    wanted = hashlib.sha256(
        REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    ).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("dev.py: making .venv …", flush=True)
    venv.create(VENV, with_pip=True, clear=True)
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for arguments in (
        ("--require-hashes", "-r", str(REQUIREMENTS)),
        ("--no-deps", "--no-build-isolation", "-e", str(ROOT)),
    ):
        subprocess.run([str(BIN / "python"), "-m", "pip", "install", "-q", *arguments], check=True, env=environment)
    stamp.write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
