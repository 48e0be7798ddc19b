"""Databases of one server, by name."""

from urllib.parse import urlsplit


def in_database(url: str, name: str) -> str:
    """Give the address of another database of the same server."""
    return (
        urlsplit(url)
        ._replace(path=f"/{name}")
        .geturl()
        .replace("postgresql:///", "postgresql://postgres@/")
    )
