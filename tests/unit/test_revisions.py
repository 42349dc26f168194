"""Files of a side from a git revision: the same bytes, laid out once, and nothing of the user's touched."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from equivalence.config import Overrides, Settings, load_settings
from equivalence.errors import UsageProblem
from equivalence.revisions import materialise, with_revisions

# A hook's variables, or the machine's own configuration, are not part of these tests.
ISOLATED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false")


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as on a machine without any configuration."""
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    command = ["git", "-C", str(folder), *AUTHOR, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write(folder: Path, **files: str) -> None:
    """Files by their path, `__` for a slash."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with flows migrated in place: `before-prefect-2` has the old ones."""
    root = tmp_path / "project"
    write(root, flows__orders="old", src__lib="old")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "old")
    git(root, "tag", "before-prefect-2")
    write(root, flows__orders="new", flows__added="new")
    git(root, "rm", "-q", "-r", "src")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "new")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that is not there yet."""
    return tmp_path / "cache" / "revisions"


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, .git included: content and time of change."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


class TestMaterialise:
    """The tree of a commit."""

    def test_the_files_of_a_tag(self, project: Path, cache: Path) -> None:
        """A tag's files as they were, below a folder named by the commit."""
        folder = materialise(project, "before-prefect-2", cache)
        assert (folder / "flows" / "orders.py").read_text(encoding="utf-8") == "old"
        assert not (folder / "flows" / "added.py").exists()
        assert folder.relative_to(cache).parts[0] == git(project, "rev-parse", "before-prefect-2")

    @pytest.mark.parametrize("revision", ["main~1", "HEAD^", "refs/tags/before-prefect-2"])
    def test_other_ways_to_name_a_commit(self, project: Path, cache: Path, revision: str) -> None:
        """Whatever git understands, and the same folder for the same commit."""
        assert materialise(project, revision, cache) == materialise(project, "before-prefect-2", cache)

    def test_a_root_below_the_top(self, project: Path, cache: Path) -> None:
        """The folder that corresponds to the root is returned."""
        folder = materialise(project / "flows", "before-prefect-2", cache)
        assert (folder / "orders.py").read_text(encoding="utf-8") == "old"

    def test_nothing_of_the_users_is_touched(self, project: Path, cache: Path) -> None:
        """Work tree, index, uncommitted changes, hooks: all as before, to the time of change."""
        (project / ".git" / "hooks").mkdir(exist_ok=True)
        hook = project / ".git" / "hooks" / "post-index-change"
        hook.write_text(f"#!/bin/sh\ntouch '{project}/ran'\n", encoding="utf-8")
        hook.chmod(0o755)
        git(project, "config", "core.splitIndex", "true")
        git(project, "config", "core.fsmonitor", str(hook))
        write(project, flows__orders="changed", flows__untracked="x")
        git(project, "add", "flows/orders.py")
        (project / "ran").unlink(missing_ok=True)
        before = snapshot(project)
        materialise(project, "before-prefect-2", cache)
        assert snapshot(project) == before

    def test_it_is_laid_out_once(self, project: Path, cache: Path) -> None:
        """What was laid out is used again."""
        folder = materialise(project, "main", cache)
        (folder / "flows" / "orders.py").write_text("mark", encoding="utf-8")
        assert materialise(project, "main", cache) == folder
        assert (folder / "flows" / "orders.py").read_text(encoding="utf-8") == "mark"

    def test_what_was_half_laid_out_does_not_count(self, project: Path, cache: Path) -> None:
        """Without the marker, which is written last, the folder is laid out again."""
        folder = materialise(project, "main", cache)
        (folder.parent / "complete").unlink()
        (folder / "flows" / "orders.py").unlink()
        write(folder, flows__stale="x")
        materialise(project, "main", cache)
        assert sorted(path.name for path in (folder / "flows").iterdir()) == ["added.py", "orders.py"]

    def test_several_at_once(self, project: Path, cache: Path) -> None:
        """Sessions that start together lay it out once, and all find it whole."""
        found: list[bool] = []

        def work() -> None:
            found.append((materialise(project, "main", cache) / "flows" / "added.py").is_file())

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert found == [True] * 6

    def test_attributes_for_archives_do_not_count(self, project: Path, cache: Path) -> None:
        """Files marked export-ignore or export-subst are as the user's own checkout has them."""
        write(project, flows__hidden="x", flows__subst="$Format:%H$")
        (project / ".gitattributes").write_text("hidden.py export-ignore\nsubst.py export-subst\n", encoding="utf-8")
        git(project, "add", ".")
        git(project, "commit", "-q", "-m", "attributes")
        folder = materialise(project, "main", cache) / "flows"
        assert (folder / "hidden.py").is_file()
        assert (folder / "subst.py").read_text(encoding="utf-8") == "$Format:%H$"

    def test_a_sparse_checkout_is_whole(self, project: Path, cache: Path) -> None:
        """What the user's checkout leaves out is in the commit all the same."""
        git(project, "sparse-checkout", "set", "--no-cone", "/flows/")
        assert (materialise(project, "before-prefect-2", cache) / "src" / "lib.py").is_file()

    def test_from_a_git_hook(self, project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The variables that git sets for a hook do not lead to another repository."""
        monkeypatch.setenv("GIT_DIR", str(cache / "elsewhere"))
        monkeypatch.setenv("GIT_INDEX_FILE", str(cache / "index"))
        assert materialise(project, "main", cache).is_dir()

    def test_names_that_are_not_ascii(self, project: Path, cache: Path) -> None:
        """Folders and files keep their names."""
        write(project, **{"größe__données": "x"})
        git(project, "add", ".")
        git(project, "commit", "-q", "-m", "names")
        assert (materialise(project / "größe", "main", cache) / "données.py").is_file()


class TestMistakes:
    """What is said when it cannot be laid out."""

    def test_an_unknown_revision_names_the_nearest(self, project: Path, cache: Path) -> None:
        """The nearest tag or branch is named."""
        with pytest.raises(UsageProblem, match=r'no such commit, tag or branch.*did you mean "before-prefect-2"'):
            materialise(project, "before-prefect2", cache)

    def test_nothing_like_it(self, project: Path, cache: Path) -> None:
        """Where no name is like it, the way to find one is."""
        with pytest.raises(UsageProblem, match="`git log --oneline` lists the commits"):
            materialise(project, "0123456789", cache)

    @pytest.mark.parametrize("revision", ["--since=yesterday", "-h", "main:flows"])
    def test_what_is_no_commit(self, project: Path, cache: Path, revision: str) -> None:
        """An option is no revision, nor is a folder."""
        with pytest.raises(UsageProblem, match="no such commit"):
            materialise(project, revision, cache)

    def test_a_shallow_clone(self, project: Path, cache: Path, tmp_path: Path) -> None:
        """A clone without history, as on a build server, is told how to get it."""
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "-q", "--depth", "1", "--no-tags", project.as_uri(), str(clone))
        with pytest.raises(UsageProblem, match="`git fetch --tags --unshallow`"):
            materialise(clone, "before-prefect-2", cache)

    def test_no_repository(self, tmp_path: Path, cache: Path) -> None:
        """A folder outside of any repository is said to be that, with git's own words."""
        with pytest.raises(UsageProblem, match=r"not in the work tree of a git repository\. git says: .*not a git"):
            materialise(tmp_path, "main", cache)

    def test_no_git(self, project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without git on the PATH the message says so."""
        monkeypatch.setenv("PATH", str(cache))
        with pytest.raises(UsageProblem, match="there is no `git` on the PATH"):
            materialise(project, "main", cache)

    def test_a_root_that_the_commit_does_not_have(self, project: Path, cache: Path) -> None:
        """A folder that came later is not in the old commit."""
        write(project, later__x="x")
        with pytest.raises(UsageProblem, match='has no folder "later"'):
            materialise(project / "later", "before-prefect-2", cache)

    def test_a_cache_that_cannot_be_written(self, project: Path, cache: Path) -> None:
        """A file in the cache's place ends in a message."""
        cache.parent.mkdir(parents=True)
        cache.write_text("", encoding="utf-8")
        with pytest.raises(UsageProblem, match="cannot be laid out below"):
            materialise(project, "main", cache)


def configured(project: Path, text: str) -> Settings:
    """The settings of a pyproject.toml in the project."""
    (project / "pyproject.toml").write_text(f'[tool.equivalence]\nv2.flows = "flows"\n{text}', encoding="utf-8")
    return load_settings(project, project / "pyproject.toml", Overrides())


class TestWithRevisions:
    """Settings whose folders are in a revision's tree."""

    def test_folders_move_into_the_tree(self, project: Path, cache: Path, tmp_path: Path) -> None:
        """Flows and python-path of the side with a revision are the old ones; what is no part of it stays."""
        outside = tmp_path / "lib"
        outside.mkdir()
        text = f'v1 = {{ flows = "flows", revision = "before-prefect-2", python-path = ["src", "{outside}"] }}'
        before = configured(project, text)
        after = with_revisions(before, cache)
        tree = materialise(project, "before-prefect-2", cache)
        assert (after.v1.flows, after.v1.python_path) == (tree / "flows", (tree / "src", outside))
        assert after.v2 == before.v2

    def test_every_folder_that_the_revision_does_not_have(self, project: Path, cache: Path) -> None:
        """All missing folders in one message, the nearest named."""
        text = 'v1 = { flows = "flow", revision = "before-prefect-2", python-path = ["srcs"] }'
        with pytest.raises(UsageProblem) as caught:
            with_revisions(configured(project, text), cache)
        head, flows, path = str(caught.value).splitlines()
        assert head == "pyproject.toml: 2 problems in [tool.equivalence]"
        assert '[tool.equivalence.v1] at revision "before-prefect-2": `flows`: there is no folder "flow"' in flows
        assert 'did you mean "flows"?' in flows
        assert '`python-path`: there is no folder "srcs"' in path

    def test_flows_outside_of_the_repository(self, project: Path, cache: Path, tmp_path: Path) -> None:
        """A folder that is not the repository's has no revision."""
        text = 'v1 = { flows = "../elsewhere", revision = "main" }'
        with pytest.raises(UsageProblem, match="is outside of the git repository"):
            with_revisions(configured(project, text), cache)

    def test_no_revision_needs_no_git(self, project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Settings without a revision come back as they are."""
        monkeypatch.setenv("PATH", "")
        settings = configured(project, 'v1.flows = "flows"')
        assert with_revisions(settings, cache) == settings
