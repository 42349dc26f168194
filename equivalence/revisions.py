"""One side's files as a git revision has them, laid out in a cache; work tree and index stay as they are.

| what is found                           | outcome                                              |
| --------------------------------------- | ---------------------------------------------------- |
| no `git`, or no repository              | UsageProblem                                         |
| no such revision                        | UsageProblem with the nearest tag or branch          |
| the root's folder is not in the commit  | UsageProblem                                         |
| laid out before (its marker is there)   | that folder                                          |
| half laid out by a process that died    | removed, and laid out again                          |

The files are checked out through an index of our own rather than by `git archive`: an archive leaves out what
`.gitattributes` marks with `export-ignore`, and rewrites what it marks with `export-subst`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from equivalence.config import Settings, Side, missing_folder, shown_path
from equivalence.errors import UsageProblem
from equivalence.tables import listed, nearest, quoted, table_name

# Set by git for its hooks: with them, a session started from a hook would read another repository or index.
HOOK_VARIABLES = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
)
# Nothing of the user's may run: reading a tree into our index would start a hook and the file system monitor.
QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false")


def with_revisions(settings: Settings, cache: Path) -> Settings:
    """The settings with the flows folder and python-path of each side that has a `revision` in its tree."""
    return replace(
        settings,
        v1=_side_at_revision(settings.v1, settings.root, cache),
        v2=_side_at_revision(settings.v2, settings.root, cache),
    )


def materialise(root: Path, revision: str, cache: Path) -> Path:
    """Lay out the commit once, below `cache`/its hash; the folder in it that corresponds to `root`."""
    if shutil.which("git") is None:
        raise UsageProblem(
            f"revision {quoted(revision)}: there is no `git` on the PATH; install it, or remove `revision`"
        )
    top = _git(root, "rev-parse", "--show-toplevel")
    if top.returncode:
        raise UsageProblem(
            f"revision {quoted(revision)}: {root} is not in the work tree of a git repository. git says: {_words(top)}"
        )
    prefix = _line(_git(root, "rev-parse", "--show-prefix"))
    commit = _commit(root, revision)
    home = Path(os.path.abspath(cache)) / commit
    tree, marker = home / "tree", home / "complete"
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{home}.lock"):
            if not marker.exists():
                if home.exists():
                    shutil.rmtree(home)
                tree.mkdir(parents=True)
                _lay_out(Path(_line(top)), commit, revision, tree)
                marker.write_text(f"{commit}\n", encoding="utf-8")
    except OSError as error:
        raise UsageProblem(
            f"revision {quoted(revision)}: its files cannot be laid out below {cache}: {error}"
        ) from error
    folder = tree / prefix
    if not folder.is_dir():
        raise UsageProblem(
            f"revision {quoted(revision)} (commit {commit[:12]}) has no folder {quoted(prefix.rstrip('/'))}, "
            f"where the root {root} is now; choose a revision that has it"
        )
    return folder


def _side_at_revision(side: Side, root: Path, cache: Path) -> Side:
    if side.revision is None:
        return side
    there = materialise(root, side.revision, cache)
    # cache/<hash>/tree: what lies outside of it is not the repository's, and stays where it is.
    tree = next(parent for parent in (there, *there.parents) if (parent.parent / "complete").is_file())

    def moved(path: Path) -> Path:
        place = Path(os.path.normpath(there / os.path.relpath(path, root)))
        return place if place.is_relative_to(tree) else path

    flows, paths = moved(side.flows), tuple(moved(path) for path in side.python_path)
    where = f"{table_name(side.name)} at revision {quoted(side.revision)}:"
    mistakes: list[str] = []
    if not flows.is_relative_to(tree):
        mistakes.append(f"{where} `flows`: {shown_path(side.flows, root)} is outside of the git repository")
    elif not flows.is_dir():
        mistakes.append(f"{where} {missing_folder('flows', flows, there)}")
    mistakes += [f"{where} {missing_folder('python-path', path, there)}" for path in paths if not path.exists()]
    if mistakes:
        raise UsageProblem(listed("pyproject.toml", mistakes))
    return replace(side, flows=flows, python_path=paths)


def _commit(root: Path, revision: str) -> str:
    """The full hash of the commit; with --verify, what looks like an option names no commit either."""
    found = _git(root, "rev-parse", "--verify", f"{revision}^{{commit}}")
    if found.returncode == 0:
        return _line(found)
    refs = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/tags", "refs/heads", "refs/remotes")
    like = nearest(revision, refs.stdout.splitlines())
    text = f"revision {quoted(revision)}: no such commit, tag or branch in the git repository of {root}"
    text += f"; did you mean {quoted(like)}?" if like else "; `git log --oneline` lists the commits"
    if _line(_git(root, "rev-parse", "--is-shallow-repository")) == "true":
        text += ". This clone is shallow: `git fetch --tags --unshallow` brings the rest"
    raise UsageProblem(text)


def _lay_out(top: Path, commit: str, revision: str, tree: Path) -> None:
    index = {"GIT_INDEX_FILE": str(tree.parent / "index")}
    for command in (("read-tree", commit), ("checkout-index", "--all", f"--prefix={tree.as_posix()}/")):
        done = _git(top, *command, **index)
        if done.returncode:
            raise UsageProblem(
                f"revision {quoted(revision)}: its files could not be laid out. `git {command[0]}` says: {_words(done)}"
            )


def _git(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in HOOK_VARIABLES}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"} | variables
    return subprocess.run(
        ["git", *QUIET, "-C", str(folder), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def _line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.removesuffix("\n")


def _words(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip() or f"nothing (exit status {done.returncode})"
