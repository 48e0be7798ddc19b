"""A folder that somebody else empties: the authority's own program, or a person.

Written beside and renamed, so nobody reads half a file; the same message is the same name.
"""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.errors import DeclinedError
from gateway.ports.wire import Wire
from receipts.channels.parcel import Answer, Parcel, Said


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of this machine."""

    path: Path

    async def send(self, parcel: Parcel) -> Said:
        """Write the message; once it is on disk it is accepted."""
        name = f"{parcel.tax_code}-{parcel.told_on}-{parcel.part:03}-{parcel.id}.xml"
        await asyncio.to_thread(self._write, name, parcel.xml)
        return Said(Answer.ACCEPTED, name)

    def _write(self, name: str, xml: bytes) -> None:
        beside = self.path / f".{name}.part"
        try:
            with beside.open("wb") as file:
                file.write(xml)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            said = f"The folder cannot be written to: {error.strerror}."
            raise DeclinedError(said, is_unreachable=True) from None


def channel(values: Mapping[str, str], _wire: Wire) -> Folder:
    """Make it of its values."""
    return Folder(Path(values["path"]))
