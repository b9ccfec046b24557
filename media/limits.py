"""Limits for untrusted files, with their reasons. A file beyond a limit is refused, and its row says why.

docs/operators/media.md lists the limits, and a test compares the two.
"""

from django.conf import settings

#: Seconds to read a header. A file that needs more is malformed on purpose.
PROBE_S = 20.0
#: Seconds to make all files of one clip. Ten minutes of 1080p need about half of it on two cores.
PREPARE_S = 300.0
#: CPU seconds for each second of these limits: decoder, filters and encoder use up to two threads each. It also ends
#: commands whose worker is gone, on systems where the kernel does not do that.
CPU_S_A_SECOND = 4
#: Bytes of address space. Decoding 8K with two threads needs about half of it.
MEMORY = 4 * 2**30
#: Bytes of each file that is written: ten minutes at 28 Mbit/s.
WRITTEN = 2 * 2**30
#: Bytes of a program's messages that are kept. A damaged file can cause a message for every picture.
SAID = 2**20
#: 8K, the largest that cameras and generators write. A header may claim far more, and each picture must fit in memory.
PIXELS = 8192 * 4320
#: A picture, some languages of sound, and subtitles. ffmpeg opens each stream before it knows anything about it.
STREAMS = 64
#: Frames per second, as high-speed cameras write. Frames beyond 60 a second are dropped, but decoded first.
SOURCE_FPS = 1000


def longest_s() -> float:
    """Return the length in seconds of the longest clip that is prepared: the setting MEDIA_LONGEST_S.

    People compare two clips in one sitting. The limits for time and for the size of written files follow from it.
    """
    return float(settings.MEDIA_LONGEST_S)
