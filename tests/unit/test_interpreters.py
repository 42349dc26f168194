"""Finding interpreters: by version, by path, the best one, and what is said when there is none."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from equivalence.environments import interpreters
from equivalence.environments.interpreters import Interpreter, find_interpreter, probe
from equivalence.errors import UsageProblem

if sys.platform == "win32":
    pytest.skip("the stand-ins for interpreters are shell scripts", allow_module_level=True)


def fake(path: Path, version: str, implementation: str = "cpython", free_threaded: bool = False) -> Path:
    """A script that answers the probe as that interpreter would, and leaves a mark when asked."""
    answer = (
        f'{{"version": "{version}", "implementation": "{implementation}", "platform": "here", '
        f'"free_threaded": {str(free_threaded).lower()}}}'
    )
    return script(path, f"echo asked >> '{path}.asked'\necho '{answer}'\n")


def script(path: Path, body: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + body, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def asked(path: Path) -> bool:
    """Whether a stand-in was started."""
    return path.with_name(path.name + ".asked").exists()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of its own: a home without anything, PATH with one empty folder, no pyenv, no uv Pythons."""
    home = tmp_path / "home"
    (tmp_path / "bin").mkdir()
    home.mkdir()
    for name in ("PYENV_ROOT", "MISE_DATA_DIR", "ASDF_DATA_DIR", "RYE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "_base_executable", str(fake(tmp_path / "running" / "python3.20", "3.20.1")))
    return tmp_path


def pyenv(root: Path, *versions: str) -> dict[str, Path]:
    """A pyenv folder with versions installed, and shims that fail as those of inactive versions do."""
    made: dict[str, Path] = {}
    for version in versions:
        minor = version.rpartition(".")[0]
        made[version] = fake(root / "versions" / version / "bin" / f"python{minor}", version)
        (made[version].parent / "python").symlink_to(made[version].name)
        script(
            root / "shims" / f"python{minor}",
            "echo asked > $0.asked\necho 'pyenv: command not found' >&2\nexit 127\n",
        )
    return made


def test_a_version_is_found_on_path(machine: Path) -> None:
    """A minor version finds the interpreter of that version on PATH."""
    there = fake(machine / "bin" / "python3.10", "3.10.4")
    found = find_interpreter("3.10", prefect="1")
    assert found == Interpreter(there, "3.10.4", "cpython", "here")


def test_a_version_with_patch_is_exact(machine: Path) -> None:
    """A full version takes that patch release and no other."""
    made = pyenv(machine / "home" / ".pyenv", "3.10.1", "3.10.13")
    assert find_interpreter("3.10.1", prefect="1").path == made["3.10.1"]
    with pytest.raises(UsageProblem, match=r"Python 3\.10\.2 was not found"):
        find_interpreter("3.10.2", prefect="1")


def test_3_1_does_not_mean_3_10(machine: Path) -> None:
    """Versions are compared by number, not as text."""
    fake(machine / "bin" / "python3.100", "3.100.0")
    with pytest.raises(UsageProblem):
        find_interpreter("3.10", prefect="1")


def test_the_newest_patch_of_a_manager_wins(machine: Path) -> None:
    """Of several patch releases that pyenv holds, the newest by number is taken."""
    made = pyenv(machine / "home" / ".pyenv", "3.10.4", "3.10.13", "3.10.9")
    assert find_interpreter("3.10", prefect="1").path == made["3.10.13"]


@pytest.mark.parametrize("how", ["PYENV_ROOT", "home", "shims on PATH"])
def test_inactive_pyenv_versions_are_found(machine: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Versions of pyenv are found whichever way its folder is known, and no shim is ever started."""
    root = machine / "home" / ".pyenv" if how == "home" else machine / "opt" / "pyenv"
    made = pyenv(root, "3.9.18", "3.10.13")
    if how == "PYENV_ROOT":
        monkeypatch.setenv("PYENV_ROOT", str(root))
    if how != "PYENV_ROOT":
        monkeypatch.setenv("PATH", os.pathsep.join([str(root / "shims"), str(machine / "bin")]))
    assert find_interpreter("3.9", prefect="1").path == made["3.9.18"]
    assert not list((root / "shims").glob("*.asked"))


def test_pythons_of_uv_are_found(machine: Path) -> None:
    """An interpreter that uv installed is found though it is not on PATH."""
    there = fake(machine / "uv" / "cpython-3.11.9-linux" / "bin" / "python3.11", "3.11.9")
    (there.parent / "python3").symlink_to(there.name)
    assert find_interpreter("3.11", prefect="1").path == there


def test_the_running_python_is_found(machine: Path) -> None:
    """The Python that runs pytest counts as well, before those of the same version elsewhere."""
    fake(machine / "bin" / "python3.20", "3.20.9")
    assert find_interpreter("3.20", prefect="2").version == "3.20.1"


def test_none_takes_the_first_of_the_order_of_preference(machine: Path) -> None:
    """Without a version both sides get the same one where that can be: 3.9, for which all wheels exist."""
    for version in ("3.8.1", "3.9.1", "3.11.1", "3.12.1", "3.13.1", "3.14.1"):
        fake(machine / "bin" / ("python" + version.rpartition(".")[0]), version)
    assert find_interpreter(None, prefect="1").version == "3.9.1"
    assert find_interpreter(None, prefect="2").version == "3.9.1"
    assert find_interpreter(None, prefect="2", supported=["3.7", "3.13"]).version == "3.13.1"


def test_only_what_may_fit_is_started(machine: Path) -> None:
    """An interpreter whose name tells another version is not started to ask for it."""
    other = fake(machine / "bin" / "python3.8", "3.8.1")
    fake(machine / "bin" / "python3.10", "3.10.1")
    find_interpreter("3.10", prefect="1")
    assert not asked(other)


def test_other_implementations_and_free_threaded_builds_are_passed_over(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version means a CPython with a GIL, which all pins have wheels for."""
    fake(machine / "a" / "python3.10", "3.10.1", "pypy")
    fake(machine / "b" / "python3.10", "3.10.1", free_threaded=True)
    monkeypatch.setenv("PATH", os.pathsep.join([str(machine / "a"), str(machine / "b")]))
    with pytest.raises(UsageProblem) as problem:
        find_interpreter("3.10", prefect="1")
    assert "pypy 3.10.1" in str(problem.value)
    assert "cpython-freethreaded 3.10.1" in str(problem.value)


def test_not_found_lists_places_and_interpreters(machine: Path) -> None:
    """The message names every place, every interpreter seen, the broken ones, and what to write."""
    pyenv(machine / "home" / ".pyenv", "3.7.16", "3.12.1")
    broken = script(machine / "bin" / "python3.9", "echo 'cannot open shared object file' >&2\nexit 127\n")
    with pytest.raises(UsageProblem) as problem:
        find_interpreter("3.10", prefect="1")
    text = str(problem.value)
    assert text.startswith("Python 3.10 was not found")
    for place in (
        machine / "bin",
        machine / "running",
        machine / "home" / ".pyenv" / "versions",
        machine / "uv",
    ):
        assert str(place) in text
    for seen in (
        "cpython 3.7.16",
        "cpython 3.12.1",
        "cpython 3.20.1",
        f"{broken} exit status 127: cannot open",
    ):
        assert seen in text
    assert 'python = "3.7" under [tool.equivalence.v1]' in text


def test_a_path_is_taken_as_it_is(machine: Path) -> None:
    """A path to an interpreter, or to the folder of a virtualenv, is used without looking anywhere else."""
    there = fake(machine / "envs" / "bin" / "python", "3.10.4")
    assert find_interpreter(str(there), prefect="1").path == there
    assert find_interpreter(str(machine / "envs"), prefect="1").path == there


def test_a_path_that_is_not_there(machine: Path) -> None:
    """A missing path names the key, the path, and what may stand there."""
    with pytest.raises(UsageProblem, match=r"equivalence\.v2\]: there is no .*nowhere/python.* a version"):
        find_interpreter("nowhere/python", prefect="2")


def test_a_path_to_a_shim_says_what_to_write(machine: Path) -> None:
    """The path of an inactive pyenv shim fails with pyenv's words and the advice to give the version."""
    pyenv(machine / "home" / ".pyenv", "3.10.13")
    with pytest.raises(UsageProblem, match=r"pyenv: command not found.*shim.*write the version instead"):
        find_interpreter("~/.pyenv/shims/python3.10", prefect="1")


def test_a_path_to_something_else(machine: Path) -> None:
    """A program that is no Python is told apart from one."""
    there = script(machine / "bin" / "tool", "echo hello\n")
    with pytest.raises(UsageProblem, match="exit status 0: hello"):
        find_interpreter(str(there), prefect="1")


@pytest.mark.parametrize("spec", ["3.6", "2.7", "path"])
def test_too_old(machine: Path, spec: str) -> None:
    """Python before 3.7 is refused at once, by version and by path."""
    fake(machine / "bin" / "python3.6", "3.6.15")
    with pytest.raises(UsageProblem, match=r"3\.7 is the oldest"):
        find_interpreter(str(machine / "bin" / "python3.6") if spec == "path" else spec, prefect="1")


def test_an_interpreter_that_hangs_is_left(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that gives no answer is passed over and told as such."""
    monkeypatch.setattr(interpreters, "_PROBE_SECONDS", 0.2)
    there = script(machine / "bin" / "python3.10", "exec /bin/sleep 20\n")
    assert "gave no answer" in str(probe(there))


def test_the_real_running_python_is_probed() -> None:
    """A real interpreter tells its version, implementation and platform."""
    found = probe(Path(sys.executable))
    assert isinstance(found, Interpreter)
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.number == sys.version_info[:2]
    assert found.platform
