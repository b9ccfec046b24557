"""Sources: find, unpack, read and check what people bring. No module knows a job of an import, or a page."""
