"""Classes and objects as they are, seen through the descriptors of `type`: names, and what an object holds.

No code of the object's own class runs, so that one which lies about itself is still seen.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import types
from typing import Any, Dict, List, Tuple

from .nodes import Refused, has_surrogates

mro_of = type.__dict__["__mro__"].__get__
qualname_of = type.__dict__["__qualname__"].__get__
module_of = type.__dict__["__module__"].__get__

_DICTS = (types.GetSetDescriptorType, types.MemberDescriptorType)


def _library_folders() -> Tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib") if name in paths}
    return tuple(folder + os.sep for folder in sorted(found))


_LIBRARY = _library_folders()


def class_name(cls: type) -> str:
    """``module:qualname`` for a class of a library, the bare qualname for one of the user's own code."""
    name = qualname_of(cls)
    module_name = module_of(cls)
    if type(module_name) is not str:
        return str(name)
    module = sys.modules.get(module_name)
    if module_name == "__main__" or module is None:
        return str(name)
    path = getattr(module, "__file__", None)
    if path is None:
        spec = getattr(module, "__spec__", None)
        library = module_name in sys.builtin_module_names or getattr(spec, "origin", None) in (
            "built-in",
            "frozen",
        )
    else:
        library = in_library(str(path))
    return "%s:%s" % (module_name, name) if library else str(name)


def in_library(path: str) -> bool:
    """Whether a file belongs to the interpreter or to installed packages, and not to the user's tree."""
    path = os.path.realpath(path)
    parts = path.split(os.sep)
    return path.startswith(_LIBRARY) or "site-packages" in parts or "dist-packages" in parts


def own_dict(value: Any) -> Dict[str, Any]:
    """The instance's ``__dict__``, by the descriptor of the interpreter; empty when it has none."""
    hidden = False
    for base in mro_of(type(value)):
        found = base.__dict__.get("__dict__")
        if found is None:
            continue
        if type(found) in _DICTS:
            return dict(found.__get__(value))
        hidden = True
    if hidden:
        raise Refused("its class hides __dict__")
    return {}


def attributes(value: Any) -> List[Tuple[str, Any]]:
    """What an object holds by ``__dict__`` and ``__slots__``; raises Refused when nothing can be seen."""
    found = []
    slotted = False
    for base in reversed(mro_of(type(value))):
        slots = base.__dict__.get("__slots__")
        if slots is None:
            continue
        slotted = True
        for slot in (slots,) if type(slots) is str else tuple(slots):
            if slot in ("__dict__", "__weakref__"):
                continue
            name = slot
            if slot.startswith("__") and not slot.endswith("__"):
                name = "_%s%s" % (qualname_of(base).split(".")[-1].lstrip("_"), slot)
            member = base.__dict__.get(name)
            if type(member) is not types.MemberDescriptorType:
                continue
            try:
                found.append((slot, member.__get__(value)))
            except AttributeError:  # declared and not set
                continue
    has_dict = any("__dict__" in base.__dict__ for base in mro_of(type(value)))
    if not slotted and not has_dict:
        raise Refused("an object without visible attributes")
    own = own_dict(value)
    if any(type(name) is not str or has_surrogates(name) for name in own):
        raise Refused("attributes whose names are no text")
    return found + list(own.items())


def rest(value: Any) -> List[Tuple[str, Any]]:
    """`attributes` of an object that is something else besides: none where nothing can be seen."""
    try:
        return attributes(value)
    except Refused as refusal:
        if "without" in str(refusal):
            return []
        raise
