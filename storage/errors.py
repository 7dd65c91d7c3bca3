"""What can be wrong with a store: errors whose text names the place and the mend. No DuckDB here."""


class StoreError(Exception):
    """Anything wrong with the store that its user can mend; the message names the file and the mend."""


class NotPublishedError(StoreError):
    """Raised by who wants to read before the first load was published."""


class NewerStoreError(StoreError):
    """Raised when a store was written by a newer version of the program."""


class StoreDamagedError(StoreError):
    """Raised when DuckDB cannot read the store's file."""


class StoreFullError(StoreError):
    """Raised when the disk has no room. The load is in the store as a whole or not at all; run it again."""


class StoreBusyError(StoreError):
    """Raised when another process holds the store for longer than one wanted to wait."""
