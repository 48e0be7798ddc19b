"""Parses XML as it comes, and refuses what a statement never needs: DTDs, entities, great depth.

So there is nothing to expand and nothing to fetch, and what is kept in memory has a limit.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Final, NoReturn
from xml.parsers import expat

from reconciliation.readers.line import refuse

depth_max: Final = 64  # A payment message nests a dozen deep.
tag_bytes_max: Final = 1_048_576  # One tag, comment or instruction: the parser keeps it whole.
text_pieces_max: Final = 64  # Of 8 KiB: no text of a statement is so long.
# Expat asks Python about any other, which raises what is no refusal; ISO 20022 wants UTF-8.
_ENCODINGS: Final = frozenset({"utf-8", "utf-16", "us-ascii", "iso-8859-1", "windows-1252"})
_chunk_bytes: Final = 65_536
Parser = expat.XMLParserType


def parser() -> Parser:
    """Make a parser that refuses any DTD."""
    made = expat.ParserCreate()
    made.buffer_text = True

    def forbidden(*_: object) -> NoReturn:
        raise refuse(made.CurrentLineNumber, "", "has a DTD, which no statement needs")

    def declared(_: str, encoding: str | None, __: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS:
            raise refuse(made.CurrentLineNumber, "", "is in an encoding that no statement needs")

    made.XmlDeclHandler = declared
    made.StartDoctypeDeclHandler = forbidden
    made.EntityDeclHandler = forbidden
    made.ExternalEntityRefHandler = forbidden
    return made


def fed(
    with_parser: Parser, chunks: Iterable[bytes], pieces: Sized = (), path: Sized = ()
) -> Iterator[None]:
    """Feed a parser, and pause after each chunk; raises Refusal with the line of what is wrong.

    Its owner collects the text of an element in ``pieces``, and has an item of ``path`` for each
    element that is open: both are looked at after a chunk, which cannot hold much.
    """
    given = 0
    try:
        for chunk in chunks:
            with_parser.Parse(chunk, False)  # noqa: FBT003 - expat takes no names.
            given += len(chunk)
            if given - with_parser.CurrentByteIndex > tag_bytes_max:
                raise _too_long(with_parser)
            if len(pieces) > text_pieces_max:
                raise _too_long(with_parser)
            if len(path) > depth_max:
                detail = f"nests deeper than {depth_max}"
                raise refuse(with_parser.CurrentLineNumber, "", detail)
            yield
        with_parser.Parse(b"", True)  # noqa: FBT003 - the same.
    except expat.ExpatError as error:
        raise refuse(error.lineno, "", f"is not XML ({expat.ErrorString(error.code)})") from None
    yield


def _too_long(of: Parser) -> Exception:
    return refuse(of.CurrentLineNumber, "", "has a tag or a text longer than any statement has")


def chunks_of(content: bytes) -> Iterator[bytes]:
    """Give a file in pieces."""
    for at in range(0, len(content), _chunk_bytes):
        yield content[at : at + _chunk_bytes]


def read_chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Give what a file-like object holds, in pieces."""
    while chunk := read(_chunk_bytes):
        yield chunk
