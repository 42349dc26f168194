"""Frames and messages between the host and a worker, the same code on both ends.

A frame is four bytes of length (big endian) and that many bytes of JSON. The two pipes of a worker carry nothing
else: what a flow prints goes to file descriptors 1 and 2, which are files of the host's.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from typing import Any, Dict, Optional

PROTOCOL = 1
"""Raised when a message changes its meaning; the host refuses a worker that speaks another one."""

MAX_FRAME = 64 * 1024 * 1024
"""Bytes; a longer frame is a fault. Large values travel by the spool file, so real frames stay far below."""

_HEADER = struct.Struct(">I")


class WireError(Exception):
    """The other end sent something that is no frame, or stopped in the middle of one."""


class Channel(object):
    """One end of the pair of pipes. Writing is safe from several threads; reading is for one thread."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._lock = threading.Lock()

    def send(self, message: Dict[str, Any]) -> None:
        """Write one message. Raises WireError when it is too large, OSError when the other end is gone."""
        body = json.dumps(message, separators=(",", ":")).encode("ascii")
        if len(body) > MAX_FRAME:
            raise WireError("a message of %d bytes is over the limit of %d" % (len(body), MAX_FRAME))
        data = memoryview(_HEADER.pack(len(body)) + body)
        with self._lock:
            while data:
                data = data[os.write(self._writing, data) :]

    def receive(self) -> Optional[Dict[str, Any]]:
        """The next message, or None when the other end closed between two frames. Raises WireError on torn ones."""
        header = self._read(_HEADER.size)
        if not header:
            return None
        (length,) = _HEADER.unpack(header)
        if length > MAX_FRAME:
            raise WireError("a frame announces %d bytes, over the limit of %d" % (length, MAX_FRAME))
        body = self._read(length)
        if len(body) < length:
            raise WireError("the channel closed in the middle of a frame")
        try:
            message = json.loads(body.decode("utf-8"))
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise WireError("a frame is no JSON: %s" % error)
        if not isinstance(message, dict):
            raise WireError("a message must be an object, got %s" % type(message).__name__)
        return message

    def _read(self, length: int) -> bytes:
        """Exactly ``length`` bytes; nothing at all at a clean end; WireError at an end in the middle."""
        parts = []
        missing = length
        while missing:
            part = os.read(self._reading, min(missing, 1 << 20))
            if not part:
                if missing == length:
                    return b""
                raise WireError("the channel closed in the middle of a frame")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close both pipes; closing twice does nothing."""
        for fd in (self._reading, self._writing):
            try:
                os.close(fd)
            except OSError:
                pass
