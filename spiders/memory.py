"""Memory for large bodies: many hosts that send one each at once must not take more than the process has."""

import asyncio

#: A body up to this size is taken as it comes: of a hundred pages hardly one is larger as received.
SMALL = 256 << 10
#: What all larger bodies may have together, from their download until they are read and written.
ROOM = 100 << 20


class Memory:
    """Hands out room, in bytes; who finds too little waits."""

    def __init__(self, room: int = ROOM) -> None:
        self._free = room
        self._given_back = asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait until there is so much room, and take it. `size` is at most all of the room."""
        while self._free < size:
            self._given_back.clear()
            await self._given_back.wait()
        self._free -= size

    def give(self, size: int) -> None:
        """Give room back."""
        self._free += size
        self._given_back.set()
