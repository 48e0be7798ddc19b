"""Asking for a page without wanting it: its head alone, or ahead of the click that may come."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute

# Browsers before Sec-Purpose said it in their own ways, and some still do.
_AHEAD: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_WORDS: Final = ("prefetch", "prerender", "preview")


class PageRoute(APIRoute):
    """A route whose head can be asked for, as RFC 9110 wants of every GET."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:  # noqa: ANN401 - FastAPI's own width.
        """Let HEAD in wherever GET is."""
        super().__init__(path, endpoint, **more)
        if self.methods == {"GET"}:
            self.methods = {"GET", "HEAD"}


def is_only_looking(request: Request) -> bool:
    """Tell whether nobody has clicked: what is asked for like this must change nothing."""
    if request.method == "HEAD":
        return True
    said = (request.headers.get(name, "").lower() for name in _AHEAD)
    return any(word in value for value in said for word in _WORDS)
