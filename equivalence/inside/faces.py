"""How things of a user's flow are put into words, whatever they do when asked."""

from __future__ import annotations

import hashlib
import os
import traceback
from typing import Any, Dict, List, Optional

from . import values
from .classes import class_name

MAX_TEXT = 2000
"""Characters of a message that travel; what is cut is said."""


def text(value: Any) -> str:
    """``str(value)``, empty for None, or a word about why there is none; at most MAX_TEXT characters."""
    if value is None:
        return ""
    try:
        shown = value if type(value) is str else str(value)
    except BaseException as error:
        return "<%s without a text: %s>" % (type(value).__name__, type(error).__name__)
    if len(shown) > MAX_TEXT:
        # The digest keeps two long texts apart that differ only in what is cut.
        return "%s… (%d characters, %s)" % (shown[:MAX_TEXT], len(shown), _digest(shown))
    return shown


def _digest(shown: str) -> str:
    return hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def exception_info(error: BaseException) -> Dict[str, Any]:
    """An exception as data: class, message, what the message may not show, and the traceback of the user's frames."""
    return {
        "type": class_name(type(error)),
        "message": text(error),
        "details": text("; ".join(_details(error, 3))),
        "traceback": _user_frames(error),
    }


def _details(error: BaseException, depth: int) -> List[str]:
    """Its arguments, the attributes of a user's own class, and the members of a group, as far as they are plain data.

    What is no plain data is left out: objects of libraries have other insides in other versions.
    """
    members = getattr(error, "exceptions", None)
    if isinstance(members, (tuple, list)) and all(isinstance(member, BaseException) for member in members):
        if depth == 0:
            return []
        return [
            "%s(%s; %s)" % (class_name(type(member)), text(member), "; ".join(_details(member, depth - 1)))
            for member in members
        ]
    found = []
    users = ":" not in class_name(type(error))
    # Of a library's class only a single argument: what SyntaxError and its like hold beside changes with Python.
    if (users or len(error.args) == 1) and error.args != (text(error),):
        arguments = _plain(error.args)
        if arguments is not None:
            found.append("args=" + arguments)
    if users:
        try:
            attributes = sorted(object.__getattribute__(error, "__dict__").items())
        except Exception:
            attributes = []
        for name, value in attributes:
            shown = _plain(value)
            if shown is not None and not name.startswith("__"):
                found.append("%s=%s" % (name, shown))
    return found


def _plain(value: Any) -> Optional[str]:
    """A value as text, with a digest that tells it from all others; None of what is more than plain data.

    Sets and dicts are named only: the order in which they are written is none of theirs.
    """
    try:
        envelope = values.encode(value)
        if envelope["opaques"] or "root" not in envelope:
            return None
        shown = text(repr(values.decode(envelope["root"], envelope.get("shared"))))
        return "%s [%s]" % (type(value).__name__ if "{" in shown else shown, envelope["digest"][:8])
    except Exception:
        return None


def _user_frames(error: BaseException) -> str:
    """The frames outside installed packages, outermost first; empty when there are none."""
    try:
        entries = [
            entry
            for entry in traceback.extract_tb(error.__traceback__)
            if "site-packages" not in entry.filename
            and not entry.filename.startswith(os.path.dirname(os.__file__) + os.sep)
            and not entry.filename.startswith("<")
            and os.path.dirname(os.path.abspath(__file__)) != os.path.dirname(entry.filename)
        ]
        return text("".join(traceback.format_list(entries[-8:])).rstrip())
    except Exception:
        return ""


def declared_value(value: Any) -> Optional[str]:
    """A declared setting in one word: the name of its class, or None when there is none."""
    return None if value is None else type(value).__name__
