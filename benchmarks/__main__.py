"""``python -m benchmarks [cases] [start] [values] [memory]``: all but memory by default, which takes ten minutes.

Every row is a ratio of two things measured in turn in the same run, with the medians it comes from.
"""

from __future__ import annotations

import argparse

from benchmarks import cases, memory, start, values
from benchmarks.table import Row, show


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = {"cases": cases.rows, "start": start.rows, "values": values.rows, "memory": memory.rows}
    parser.add_argument("which", nargs="*", choices=[*names, []], help="default: cases start values")
    given = parser.parse_args()
    rows: list[Row] = []
    for name in given.which or ("cases", "start", "values"):
        rows.extend(names[name]())
    show(rows)


if __name__ == "__main__":
    main()
