"""The two numbers of each of PostgreSQL's advisory locks that the product takes."""

from typing import Final

#: Whoever copies rows into a file for a download has one of these: no more than two copy at once, over all processes.
DOWNLOAD_1: Final = (7_310, 1)
DOWNLOAD_2: Final = (7_310, 2)
