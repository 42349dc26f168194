"""Environments made by the real uv: built once, rebuilt when damaged, refused with words that help."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from equivalence.environments import (
    Environment,
    SideRequest,
    check_prefect,
    ensure_environment,
    ensure_environments,
    interpreters,
)
from equivalence.environments.build import build_environment, pinned_requirements
from equivalence.environments.process import Cancel, Cancelled
from equivalence.errors import UsageProblem

pytestmark = pytest.mark.engines

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD_IN_A_PROCESS = """
import sys
from equivalence.environments import SideRequest
from equivalence.environments.build import build_environment
side = SideRequest("v1", python=sys.executable, requirements=(sys.argv[1],))
print(build_environment(side, lambda line: print(line, flush=True)).root)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("EQUIVALENCE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def distribution(folder: Path, name: str = "tiny", version: str = "1.0", build: str = "") -> Path:
    """A package with its own build backend, so that nothing is fetched; `build` runs while it is built."""
    project = folder / f"{name}-{version}"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "{version}"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (project / "backend.py").write_text(
        "import os, time, zipfile\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        f"    name, version = {name!r}, {version!r}\n"
        + "".join(f"    {line}\n" for line in build.splitlines())
        + "    file = name + '-' + version + '-py3-none-any.whl'\n"
        "    info = name + '-' + version + '.dist-info/'\n"
        "    with zipfile.ZipFile(os.path.join(folder, file), 'w') as wheel:\n"
        "        wheel.writestr(name + '/__init__.py', '')\n"
        "        about = 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version)\n"
        "        wheel.writestr(info + 'METADATA', about)\n"
        "        tags = 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'\n"
        "        wheel.writestr(info + 'WHEEL', tags)\n"
        "        wheel.writestr(info + 'RECORD', '')\n"
        "    return file\n"
    )
    return project


def request(*requirements: str, name: str = "v1") -> SideRequest:
    """A request for packages, built on the Python that runs the tests."""
    assert name in ("v1", "v2")
    return SideRequest("v1" if name == "v1" else "v2", python=sys.executable, requirements=requirements)


def forbid_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, any process that is started fails the test."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"a process was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)


def quiet(line: str) -> None:
    """Progress that nobody reads."""


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_build_is_told_and_found_again_without_a_process(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call builds and says so, compiled to bytecode; the second starts nothing and says nothing."""
    lines: list[str] = []
    side = request(str(distribution(tmp_path)))
    built = build_environment(side, lines.append)
    assert dict(built.packages) == {"tiny": "1.0"}
    assert built.root is not None
    assert built.root.is_relative_to(cache)
    assert list(built.root.glob("lib/*/site-packages/tiny/__pycache__/*.pyc"))
    assert lines[0].startswith("v1: building environment (Python ")
    assert lines[-1].startswith("v1: environment ready in ")
    assert lines[-1].endswith("(1 package)")
    forbid_processes(monkeypatch)
    started = time.perf_counter()
    assert build_environment(side, pytest.fail) == built
    assert time.perf_counter() - started < 0.1


def test_variables_that_mislead_are_kept_away(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An active virtualenv, PYTHONPATH, PYTHONHOME and UV_PYTHON of the caller do not reach the build."""
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "UV_PYTHON"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    assert build_environment(request(str(distribution(tmp_path))), quiet).packages["tiny"] == "1.0"


def test_two_sessions_at_once_build_once(cache: Path, tmp_path: Path) -> None:
    """Of two processes started together one builds; the other waits, says for whom, and uses the result."""
    count = tmp_path / "builds"
    project = distribution(tmp_path, build=f"open({str(count)!r}, 'a').write('x')\ntime.sleep(2)")
    command = [sys.executable, "-c", BUILD_IN_A_PROCESS, str(project)]
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    sessions = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) for _ in range(2)]
    outputs = [session.communicate(timeout=100)[0] for session in sessions]
    assert [session.returncode for session in sessions] == [0, 0]
    assert outputs[0].splitlines()[-1] == outputs[1].splitlines()[-1]
    assert count.read_text() == "x"
    waiting = [line for output in outputs for line in output.splitlines() if "waiting for" in line]
    assert len(waiting) == 1
    assert any(f"process {session.pid}" in waiting[0] for session in sessions)


def test_a_killed_build_counts_for_nothing(cache: Path, tmp_path: Path) -> None:
    """A session killed while it builds leaves nothing ready and no lock; the next one builds anew."""
    hold = tmp_path / "hold"
    hold.touch()
    began = tmp_path / "began"
    project = distribution(
        tmp_path,
        build=f"open({str(began)!r}, 'w').close()\nwhile os.path.exists({str(hold)!r}): time.sleep(0.05)",
    )
    command = [sys.executable, "-c", BUILD_IN_A_PROCESS, str(project)]
    session = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    wait_for(began.exists)
    session.send_signal(signal.SIGKILL)
    session.wait()
    (folder,) = (path for path in (cache / "environments").iterdir() if path.is_dir())
    (left,) = folder.glob("venv-*")
    assert not (folder / "ready.json").exists()
    hold.unlink()
    built = build_environment(request(str(project)), quiet)
    assert built.root is not None
    assert built.root.parent == folder
    assert built.root != left
    assert dict(built.packages) == {"tiny": "1.0"}


def test_a_record_without_its_virtualenv_is_no_environment(cache: Path, tmp_path: Path) -> None:
    """A virtualenv that was removed, or changed by hand, is built again."""
    side = request(str(distribution(tmp_path)))
    first = build_environment(side, quiet)
    assert first.root is not None
    shutil.rmtree(first.root)
    second = build_environment(side, quiet)
    assert second.root is not None
    assert second.python.exists()
    (site,) = second.root.glob("lib/*/site-packages")
    (site / "added-1.0.dist-info").mkdir()
    third = build_environment(side, quiet)
    assert dict(third.packages) == {"tiny": "1.0"}
    assert third.root != second.root


def test_damaged_records_are_made_anew(cache: Path, tmp_path: Path) -> None:
    """A record that is cut off or holds something else leads to a new look, not to an error."""
    side = request(str(distribution(tmp_path)))
    build_environment(side, quiet)
    for text in ("{", "[]", "{}", '{"venv": 3, "packages": []}'):
        for record in [*cache.glob("index/*.json"), *cache.glob("environments/*/ready.json")]:
            record.write_text(text)
        assert dict(build_environment(side, quiet).packages) == {"tiny": "1.0"}


def test_what_does_not_resolve_is_told_in_uvs_words(cache: Path, tmp_path: Path) -> None:
    """Requirements that contradict end in uv's own words and commands to try, and leave nothing."""
    one, two = distribution(tmp_path, version="1.0"), distribution(tmp_path, version="2.0")
    with pytest.raises(UsageProblem) as problem:
        build_environment(request(f"tiny @ {one.as_uri()}", f"tiny @ {two.as_uri()}"), quiet)
    text = str(problem.value)
    assert "uv said:" in text
    assert "conflicting URLs" in text
    assert "uv venv --no-project --python" in text
    assert "uv pip install --python" in text
    assert "requirements, exclude-newer or python under [tool.equivalence.v1]" in text
    assert not list(cache.glob("environments/*/venv-*"))
    assert not list(cache.glob("environments/*/ready.json"))


def test_a_package_that_does_not_build_is_told(cache: Path, tmp_path: Path) -> None:
    """When a build backend fails, what it said is in the message."""
    project = distribution(tmp_path, build="raise RuntimeError('no compiler on this machine')")
    with pytest.raises(UsageProblem, match="no compiler on this machine"):
        build_environment(request(str(project)), quiet)


def test_an_interrupt_ends_the_build_and_removes_it(cache: Path, tmp_path: Path) -> None:
    """A build that is cancelled from another thread stops at once and leaves no virtualenv."""
    began = tmp_path / "began"
    project = distribution(tmp_path, build=f"open({str(began)!r}, 'w').close()\ntime.sleep(60)")
    cancel, caught = Cancel(), []

    def build() -> None:
        try:
            build_environment(request(str(project)), quiet, cancel)
        except Cancelled as cancelled:
            caught.append(cancelled)

    thread = threading.Thread(target=build)
    thread.start()
    wait_for(began.exists)
    cancel.set()
    thread.join(10)
    assert caught
    assert not list(cache.glob("environments/*/venv-*"))


def test_the_content_of_a_requirements_file_decides(cache: Path, tmp_path: Path) -> None:
    """A file that changes, itself or one it includes, has another environment; changed back, the first."""
    distribution(tmp_path, version="1.0")
    distribution(tmp_path, version="2.0")
    main, included = tmp_path / "requirements.txt", tmp_path / "more.txt"
    main.write_text("-r more.txt  # the rest\n")
    side = SideRequest("v1", python=sys.executable, requirements=main)
    built: list[Environment] = []
    for version in ("1.0", "2.0", "1.0"):
        included.write_text(f"tiny @ {(tmp_path / f'tiny-{version}').as_uri()}\n")
        built.append(build_environment(side, quiet))
    assert [environment.packages["tiny"] for environment in built] == ["1.0", "2.0", "1.0"]
    assert built[0] == built[2]
    assert built[0].hash != built[1].hash


def test_a_requirements_file_that_is_not_there(cache: Path, tmp_path: Path) -> None:
    """A missing file names the key and the path."""
    side = SideRequest("v2", requirements=tmp_path / "none.txt")
    with pytest.raises(UsageProblem, match=r"requirements under \[tool\.equivalence\.v2\]: .*none\.txt cannot be read"):
        build_environment(side, quiet)


def test_an_interpreter_that_was_replaced_is_looked_at_again(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short cut holds only while the interpreter's file is the same; then discovery runs again."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    side = SideRequest("v1", python=str(python), requirements=(str(distribution(tmp_path)),))
    first = build_environment(side, quiet)
    os.utime(python, (1, 1))
    asked: list[Path] = []
    real = interpreters.probe

    def noting(path: Path) -> interpreters.Interpreter | str:
        asked.append(path)
        return real(path)

    monkeypatch.setattr(interpreters, "probe", noting)
    assert build_environment(side, quiet) == first
    assert asked == [python]


def test_an_environment_without_prefect_is_refused(cache: Path, tmp_path: Path) -> None:
    """Requirements that bring no Prefect, or the wrong one, name the key and the line to add."""
    with pytest.raises(UsageProblem, match=r'no Prefect is installed .*add "prefect==1\.4\.1" to requirements'):
        ensure_environment(request(str(distribution(tmp_path))), quiet)
    wrong = distribution(tmp_path, name="prefect", version="3.1.0")
    with pytest.raises(UsageProblem, match=r'Prefect 3\.1\.0 is installed .*add "prefect==2\.20\.26"'):
        ensure_environment(request(str(wrong), name="v2"), quiet)


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("0.14.22", ""),
        ("0.15.0", "v1"),
        ("1.4.1", "v1"),
        ("2.0.0", "v2"),
        ("2.20.26", "v2"),
        ("3.0.0", ""),
        ("10", ""),
    ],
)
def test_which_prefect_a_side_takes(version: str, fits: str) -> None:
    """Side v1 takes 1.x and 0.15 and later, side v2 takes 2.x."""
    environment = Environment(Path("python"), None, "", "3.9.1", version, {"prefect": version})
    for side in (SideRequest("v1"), SideRequest("v2")):
        if side.name == fits:
            check_prefect(side, environment)
        else:
            with pytest.raises(UsageProblem, match=f"Prefect {version} is installed"):
                check_prefect(side, environment)


def test_the_users_own_interpreter(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An existing virtualenv is used unchanged, asked once, and asked again after something was installed."""
    project = distribution(tmp_path, name="prefect", version="1.3.0")
    own = build_environment(request(str(project)), quiet)
    side = SideRequest("v1", interpreter=own.python)
    first = ensure_environment(side, quiet)
    assert (first.python, first.root, first.prefect_version) == (own.python, None, "1.3.0")
    with monkeypatch.context() as patch:
        forbid_processes(patch)
        assert ensure_environment(side, quiet) == first
    assert own.root is not None
    (site,) = own.root.glob("lib/*/site-packages")
    (site / "prefect-1.3.0.dist-info").rename(site / "prefect-2.1.0.dist-info")
    with pytest.raises(UsageProblem) as problem:
        ensure_environment(side, quiet)
    for words in (
        "Prefect 2.1.0",
        str(own.python),
        "interpreter under [tool.equivalence.v1]",
        "needs Prefect 1",
    ):
        assert words in str(problem.value)


def test_an_interpreter_that_is_not_there_or_does_not_run(cache: Path, tmp_path: Path) -> None:
    """A missing file and one that is no Python are told apart."""
    with pytest.raises(UsageProblem, match=r"there is no .*nowhere"):
        ensure_environment(SideRequest("v1", interpreter=tmp_path / "nowhere"), quiet)
    text = tmp_path / "text"
    text.write_text("hello")
    with pytest.raises(UsageProblem, match="does not run: it is not executable"):
        ensure_environment(SideRequest("v1", interpreter=text), quiet)


def test_what_is_wrong_with_both_sides_is_told_at_once(cache: Path, tmp_path: Path) -> None:
    """Two wrong sides make one message with both."""
    missing = [SideRequest("v1", interpreter=tmp_path / "a"), SideRequest("v2", interpreter=tmp_path / "b")]
    with pytest.raises(UsageProblem, match=r"(?s)equivalence\.v1\].*equivalence\.v2\]"):
        ensure_environments(missing[0], missing[1], quiet)


def test_the_pinned_sets_hold_names_and_hashes_alone() -> None:
    """Every pin has hashes, and no address of an index is in the files."""
    for name, pin in (("v1", "prefect==1.4.1"), ("v2", "prefect==2.20.26")):
        text = pinned_requirements(name).read_text(encoding="utf-8")
        assert f"\n{pin} " in text
        assert "://" not in text
        assert all(line.endswith("\\") for line in text.splitlines() if line[:1].isalnum())


def test_the_pinned_sets_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both pinned sets build, import, leave the user's home alone, and are found again without a process."""
    from equivalence.environments.cache import cache_root

    monkeypatch.setenv("EQUIVALENCE_CACHE_DIR", str(cache_root()))  # the shared one, though HOME changes
    monkeypatch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv"))
    monkeypatch.setenv("PYENV_ROOT", os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", "nowhere")
    v1, v2 = ensure_environments(SideRequest("v1"), SideRequest("v2"), quiet)
    assert (v1.prefect_version, v2.prefect_version) == ("1.4.1", "2.20.26")
    for environment in (v1, v2):
        assert environment.home_template is None or (environment.home_template / "prefect.db").exists()
        said = subprocess.run(
            [str(environment.python), "-c", "import prefect; print(prefect.__version__)"],
            capture_output=True,
            text=True,
            env={"PREFECT_HOME": str(tmp_path / "home2"), "PREFECT__HOME_DIR": str(tmp_path / "home1")},
            cwd=tmp_path,
            check=True,
        )
        assert said.stdout.strip() == environment.prefect_version
    assert v1.home_template is None
    assert v2.home_template is not None
    assert not (v2.home_template / "prefect.db-wal").exists()
    with sqlite3.connect(v2.home_template / "prefect.db") as database:
        assert database.execute("select count(*) from alembic_version").fetchone() == (1,)
        assert database.execute("select count(*) from block_type").fetchone()[0] > 5
        assert database.execute("select count(*) from flow_run").fetchone() == (0,)
    assert not (tmp_path / ".prefect").exists()
    forbid_processes(monkeypatch)
    started = time.perf_counter()
    assert ensure_environments(SideRequest("v1"), SideRequest("v2"), pytest.fail) == (v1, v2)
    assert time.perf_counter() - started < 0.1
