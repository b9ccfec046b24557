"""What is wrong with a folder, a file or a record."""


class FolderError(Exception):
    """The folder cannot be read or converted. `str()` of it says what is wrong, where, and what to do."""
