"""A user's flow file becomes a module, with the imports that the user's own runs have.

The flow's folder comes behind the standard library on ``sys.path`` (a user's ``datetime.py`` would break it) and
before site-packages. Two files in different folders may import different modules of one name, so the modules of
user code are swapped in ``sys.modules`` when another folder's file is used.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
import traceback
import types
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple


class LoadError(Exception):
    """A flow file that did not load; the text is the traceback of the user's code."""


class Constructed(NamedTuple):
    """A flow object that came into being while a flow file ran."""

    flow: Any
    line: int


class Loaded(NamedTuple):
    """A flow file after it ran: its module, its flows, and what was held back while it ran."""

    path: str
    module: types.ModuleType
    flows: List[Constructed]
    notes: List[str]


class Watch(object):
    """Collects the flows constructed by one file, and the runs and registrations that did not happen."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.flows = []  # type: List[Constructed]
        self.held_back = []  # type: List[str]

    def constructed(self, flow: Any) -> None:
        """Note a new flow when this file, and no module that it imports, is the one being executed."""
        line = None
        for frame in frames(sys._getframe(1)):
            if frame.f_code.co_filename == self.path and line is None:
                line = frame.f_lineno
            if frame.f_code.co_name == "<module>":
                if frame.f_code.co_filename == self.path:
                    self.flows.append(Constructed(flow, line or frame.f_lineno))
                return

    def hold_back(self, what: str) -> None:
        """Note that ``what`` (a run, a registration, serving) was asked for at module level and not done."""
        for frame in frames(sys._getframe(1)):
            if frame.f_code.co_filename == self.path:
                self.held_back.append("%s at line %d was not executed" % (what, frame.f_lineno))
                return
        self.held_back.append("%s was not executed" % what)


def frames(frame: Optional[types.FrameType]) -> Iterator[types.FrameType]:
    """The frame and those that called it, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def builders(path: str) -> List[Tuple[str, int]]:
    """Functions of a file that build a Prefect 1 flow: (name, line).

    ====================================================  =======
    def build(): with Flow("x") as flow: ...; return flow  a builder
    def build(): flow = Flow("x"); ...; return flow        a builder
    the same without ``return flow``                       no (it is a script's main)
    the same with a parameter that has no default          no (nothing to give it)
    ====================================================  =======
    """
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    found = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        required = len(node.args.args) - len(node.args.defaults)
        if required or any(default is None for default in node.args.kw_defaults):
            continue
        targets = {
            item.optional_vars.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.With)
            for item in inner.items
            if isinstance(item.optional_vars, ast.Name) and _is_flow_call(item.context_expr)
        }
        targets.update(
            target.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Assign) and _is_flow_call(inner.value)
            for target in inner.targets
            if isinstance(target, ast.Name)
        )
        returned = {
            inner.value.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Name)
        }
        if targets & returned:
            found.append((node.name, node.lineno))
    return found


def _is_flow_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func
    return (isinstance(name, ast.Name) and name.id == "Flow") or (
        isinstance(name, ast.Attribute) and name.attr == "Flow"
    )


def python_files(folder: str) -> List[str]:
    """The Python files below a folder, sorted; no hidden folders."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        found += [os.path.join(place, file) for file in sorted(files) if file.endswith(".py") and file[0] not in "._"]
    return found


class Loader(object):
    """Loads flow files of one side, each once, and makes the right user modules importable while one is used."""

    def __init__(self, root: str, flows: str, python_path: Sequence[str], engine: Any) -> None:
        self._engine = engine
        self._flows = os.path.realpath(flows)
        self._extra = [os.path.realpath(entry) for entry in python_path] + [os.path.realpath(root)]
        standard, packages = _split(sys.path)
        self._standard = standard
        self._packages = packages
        self._loaded = {}  # type: Dict[str, Loaded]
        self._current = None  # type: Optional[str]
        self._stashes = {}  # type: Dict[str, Dict[str, types.ModuleType]]

    def load(self, path: str) -> Loaded:
        """Run a flow file, or take it as it was. Raises LoadError with the user's traceback."""
        path = os.path.realpath(path)
        if path not in self._loaded:
            self.activate(path)
            self._loaded[path] = self._execute(path)
        else:
            self.activate(path)
        return self._loaded[path]

    def activate(self, path: str) -> None:
        """Make the imports of the file at ``path`` those that its folder gives."""
        folder = os.path.dirname(os.path.realpath(path))
        if folder == self._current:
            return
        if self._current is not None:
            self._stashes[self._current] = self._take_user_modules()
        sys.path[:] = self._standard + _unique([folder, _base(folder), self._flows] + self._extra) + self._packages
        importlib.invalidate_caches()
        sys.modules.update(self._stashes.get(folder, {}))
        self._current = folder

    def _take_user_modules(self) -> Dict[str, types.ModuleType]:
        """Remove the modules of user code from ``sys.modules`` and return them."""
        roots = tuple(root + os.sep for root in [self._flows] + self._extra)
        prefix = os.path.realpath(sys.prefix) + os.sep
        taken = {}
        for name, module in list(sys.modules.items()):
            places = _places(module)
            if name.split(".")[0] not in _OURS and any(
                place.startswith(roots) and not place.startswith(prefix) for place in places
            ):
                taken[name] = sys.modules.pop(name)
        return taken

    def _execute(self, path: str) -> Loaded:
        name = module_name(path)
        watch = Watch(path)
        module = None
        try:
            parent = name.rpartition(".")[0]
            if parent:
                importlib.import_module(parent)
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                raise LoadError("%s is no Python file" % path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            with self._engine.loading(watch):
                spec.loader.exec_module(module)
            if parent:  # as the import statement does: `import shop.sale; shop.sale`
                setattr(sys.modules[parent], name.rpartition(".")[2], module)
        except LoadError:
            raise
        except BaseException as error:
            # A script that runs or registers its flow at module level goes on with what that call returns; as the
            # call was held back, it may stumble there. The flows made until then are what the file is about.
            if module is None or not (watch.held_back and watch.flows):
                sys.modules.pop(name, None)
                raise LoadError(user_traceback(error))
            watch.held_back.append(
                "the file stopped there: %s" % traceback.format_exception_only(type(error), error)[-1].strip()
            )
        return Loaded(path, module, watch.flows, watch.held_back)


_OURS = {"equivalence_inside"}


def module_name(path: str) -> str:
    """The name under which a file is imported.

    A file in packages gets its dotted name, so that relative imports work; one named like a module of the standard
    library gets a name of its own.
    """
    folder, file = os.path.split(path)
    stem = os.path.splitext(file)[0]
    base = _base(folder)
    packages = os.path.relpath(folder, base)
    parts = [] if packages == os.curdir else packages.split(os.sep)
    name = ".".join(parts + [stem])
    if not parts and (stem in sys.builtin_module_names or stem in _standard_modules()):
        name = "flow_file_" + stem
    return name


def _standard_modules() -> Any:
    names = getattr(sys, "stdlib_module_names", None)  # Python 3.10 and later
    if names is not None:
        return names
    folder = os.path.dirname(os.__file__)
    return {os.path.splitext(entry)[0] for entry in os.listdir(folder)}


def _base(folder: str) -> str:
    """The first folder upwards that is no package."""
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _split(entries: Sequence[str]) -> Tuple[List[str], List[str]]:
    """``sys.path`` in two: the standard library, and the installed packages."""
    for index, entry in enumerate(entries):
        if os.path.basename(entry) in ("site-packages", "dist-packages"):
            return list(entries[:index]), list(entries[index:])
    return list(entries), []


def _unique(entries: Sequence[str]) -> List[str]:
    return list(dict.fromkeys(entries))


def _places(module: Any) -> List[str]:
    """Where a module lies on disk; asked without its own ``__getattr__``, which may import or raise."""
    try:
        attributes = object.__getattribute__(module, "__dict__")
    except Exception:
        return []
    places = [attributes.get("__file__")]
    try:
        places.extend(attributes.get("__path__") or ())
    except Exception:
        pass
    return [os.path.realpath(place) for place in places if isinstance(place, str)]


def user_traceback(error: BaseException) -> str:
    """The traceback without the frames of the loader, the engine's and importlib's before the user's first one."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    tb = error.__traceback__
    while tb is not None and (
        tb.tb_frame.f_code.co_filename.startswith((own, "<frozen importlib"))
        or tb.tb_frame.f_code.co_filename.startswith(os.path.dirname(importlib.__file__) + os.sep)
    ):
        tb = tb.tb_next
    lines = traceback.format_exception(type(error), error, tb)
    return "".join(lines).rstrip()
