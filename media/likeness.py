"""Perceptual hashes of 192 bits: pictures that look the same differ in few bits, however they are encoded."""

from PIL import Image

STEP = 2  # of 255: a smaller difference between neighbours is noise
LEVEL = 12  # of 255: one bit of the mean


def words(luma: Image.Image, blue: Image.Image, red: Image.Image) -> list[int]:
    """Return the hash of a frame's three planes: 3 words of 64 bits, signed as in PostgreSQL.

    The first word says where luma rises from left to right in 8 × 8 parts, the second where each colour does so in
    4 × 8 parts (difference hashes, see Krawetz, "Kind of Like That", 2013). The third has the mean of each plane as a
    row of ones, which distinguishes flat pictures.
    """
    bits = [
        _rises(luma, 8, 8),
        _rises(blue, 4, 8) + _rises(red, 4, 8),
        [
            mean > level
            for mean in map(_mean, (luma, blue, red))
            for level in range(LEVEL // 2, 256 - LEVEL // 2, LEVEL)
        ],
    ]
    return [_signed(word) for word in bits]


def _rises(plane: Image.Image, columns: int, rows: int) -> list[bool]:
    parts = plane.resize((columns + 1, rows), Image.Resampling.BOX).tobytes()
    places = [row * (columns + 1) + column for row in range(rows) for column in range(columns)]
    return [parts[place] + STEP < parts[place + 1] for place in places]


def _mean(plane: Image.Image) -> int:
    return plane.resize((1, 1), Image.Resampling.BOX).tobytes()[0]


def _signed(bits: list[bool]) -> int:
    word = sum(bit << place for place, bit in enumerate(bits))
    return word - 2**64 if word >= 2**63 else word
