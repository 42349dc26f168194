"""The loop of a worker: describe flow files, run flows, stop.

Started by path with the interpreter of the side (``python .../inside/__main__.py READ WRITE``), so nothing has to be
installed there. The two arguments are file descriptors of pipes; see ``wire`` for what travels on them.
"""

from __future__ import annotations

import os
import sys
import types


def _mount() -> None:
    """Make this folder importable as ``equivalence_inside``, and take it off ``sys.path``.

    The name keeps clear of the installed package, which must not be imported here, and of a user's own modules:
    with the folder on the path, a user's ``import values`` would find ours.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    package = types.ModuleType("equivalence_inside")
    package.__path__ = [here]  # type: ignore[attr-defined]
    sys.modules["equivalence_inside"] = package


if __name__ == "__main__":
    sys.dont_write_bytecode = True  # a test run leaves no files beside the user's flows
    _mount()
    from equivalence_inside.service import main  # type: ignore[import-not-found]

    main(int(sys.argv[1]), int(sys.argv[2]))
