"""What a stranger's file may cost, in one place with the reasons. Beyond it the file is refused, and its row says why.

docs/operators/media.md lists them; a test compares.
"""

from django.conf import settings

#: Seconds to read a header. Anything that takes longer over it is a maze.
PROBE_S = 20.0
#: Seconds to make everything of one clip: ten minutes of 1080p take about half on two cores.
PREPARE_S = 300.0
#: Seconds of computing for each second of these: decoder, filters and encoder use up to two threads each. It ends
#: what nobody waits for any more, where the kernel does not.
CPU_S_A_SECOND = 4
#: Bytes of address space. Decoding 8K with two threads takes about half.
MEMORY = 4 * 2**30
#: Bytes of any one file that is written: ten minutes at 28 Mbit/s.
WRITTEN = 2 * 2**30
#: Bytes kept of what a program says. A damaged file can have it complain about every picture.
SAID = 2**20
#: 8K, the largest that cameras and generators write. A header may claim far more, and each picture is held whole.
PIXELS = 8192 * 4320
#: A picture, some languages of sound and subtitles. Each stream is opened before anything is known of it.
STREAMS = 64
#: Frames a second, as high-speed cameras write. Beyond 60 we drop frames, but each of them is decoded first.
SOURCE_FPS = 1000


def longest_s() -> float:
    """Seconds of the longest clip that is prepared: the setting MEDIA_LONGEST_S.

    People compare two clips in one sitting. Time, room for small pictures and the size of what is written follow
    from it.
    """
    return float(settings.MEDIA_LONGEST_S)
