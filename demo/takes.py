"""The demo's clips: for each prompt one that does what was asked, and others that fall short.

Together they have the sizes, rates, codecs and containers that people upload, some of which no browser plays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from demo.gallery import SCENES
from demo.scenes import Scene, changed, faulty, slowed, still, without

Variation = Callable[[Scene], Scene]


@dataclass(frozen=True)
class Encoding:
    """The encoding of a clip: container, ffmpeg's encoder options, frames per second, and its sound."""

    extension: str
    rate: str
    video: tuple[tuple[str, str | int], ...]
    audio: str = ""  # ffmpeg's encoder, or none


@dataclass(frozen=True)
class Take:
    """One clip to make."""

    key: str
    prompt: str
    scene: Scene
    encoding: Encoding
    size: tuple[int, int]
    seconds: float
    broken: bool = False  # truncated after writing: the clip that ends as `failed`

    @property
    def path(self) -> str:
        """Return the path of the clip, relative to the manifest."""
        return f"clips/{self.key}.{self.encoding.extension}"


H264 = (("c:v", "libx264"), ("preset", "veryfast"), ("crf", 20), ("pix_fmt", "yuv420p"))
HEVC = (("c:v", "libx265"), ("preset", "ultrafast"), ("crf", 22), ("pix_fmt", "yuv420p"), ("tag:v", "hvc1"),
        ("x265-params", "log-level=none:pools=none:frame-threads=1"))  # fmt: skip
VP9 = (
    ("c:v", "libvpx-vp9"),
    ("deadline", "realtime"),
    ("cpu-used", 8),
    ("crf", 24),
    ("b:v", 0),
    ("pix_fmt", "yuv420p"),
)
VP8 = (
    ("c:v", "libvpx"),
    ("deadline", "realtime"),
    ("cpu-used", 8),
    ("crf", 8),
    ("b:v", "3M"),
    ("pix_fmt", "yuv420p"),
)
MPEG4 = (("c:v", "mpeg4"), ("q:v", 3), ("pix_fmt", "yuv420p"))
GIF = (("c:v", "gif"),)

ENCODINGS = (
    Encoding("mp4", "25", H264), Encoding("webm", "24", VP9), Encoding("mp4", "30", H264, "aac"),
    Encoding("avi", "25", MPEG4, "libmp3lame"), Encoding("mov", "30000/1001", H264),
    Encoding("mkv", "24", H264, "aac"),
    Encoding("mp4", "50", H264), Encoding("webm", "30", VP8, "libopus"), Encoding("mov", "30", HEVC),
    Encoding("mp4", "12", H264), Encoding("gif", "10", GIF), Encoding("mp4", "24", HEVC, "aac"),
    Encoding("avi", "30000/1001", MPEG4),
)  # fmt: skip

# Prompts whose clips need a certain encoding: a humming tone needs sound, and 4:2:0 colour in H.264 and HEVC cannot
# have odd sizes.
FIXED_ENCODINGS = {
    "p08": (Encoding("webm", "24", VP9), Encoding("gif", "10", GIF)),
    "p21": (Encoding("mp4", "30", H264, "aac"), Encoding("webm", "30", VP8, "libopus")),
}

WIDE, SMALL, MIDDLE = (640, 360), (320, 180), (480, 270)
PORTRAIT, SQUARE, ODD = (360, 540), (400, 400), (427, 241)
SIZES = {
    "p02": MIDDLE, "p04": MIDDLE, "p05": PORTRAIT, "p07": SQUARE, "p08": ODD, "p10": SQUARE,
    "p11": SMALL, "p15": PORTRAIT, "p16": MIDDLE, "p18": PORTRAIT, "p22": MIDDLE,
    "p24": SQUARE, "p25": MIDDLE, "p27": MIDDLE,
}  # fmt: skip
SECONDS = {"p02": 4.0, "p03": 3.5, "p08": 2.5, "p10": 2.5, "p11": 4.0, "p14": 4.0, "p19": 2.2, "p27": 2.0}


def recoloured(name: str, colour: str) -> Variation:
    """Return a change that gives the layer the wrong colour."""
    return lambda scene: changed(scene, name, colour=colour)


def reshaped(name: str, shape: str, size: float) -> Variation:
    """Return a change that gives the layer the wrong shape."""
    return lambda scene: changed(scene, name, shape=shape, size=size, ball=False)


def faults(*names: str) -> Variation:
    """Return a change that adds faults to the whole picture."""
    return lambda scene: faulty(scene, *names)


def missing(*names: str) -> Variation:
    """Return a change that removes what the prompt asks for."""
    return lambda scene: without(scene, *names)


def frozen(at: float = 1.0) -> Variation:
    """Return a change that removes all motion."""
    return lambda scene: still(scene, at)


def at_speed(speed: float) -> Variation:
    """Return a change that makes the scene too fast, too slow, or run backwards."""
    return lambda scene: slowed(scene, speed)


# The clips of each prompt, besides the one that does what was asked.
FALLING_SHORT: dict[str, tuple[tuple[Variation, ...], ...]] = {
    "p01": ((frozen(1.3),), (recoloured("ball", "#2f7de1"),), (faults("noisy"),)),
    "p02": ((recoloured("sun", "#d64545"), faults("washed")), (frozen(0.5),)),
    "p03": ((missing("moon", "stars"), at_speed(-1)), (faults("ghosted", "blurred"),)),
    "p04": ((frozen(), faults("blocky")),),
    "p05": ((missing("yellow"),), (recoloured("blue", "#e5484d"), faults("noisy"))),
    "p06": ((frozen(0.4),), (reshaped("star", "square", 0.56),), (at_speed(-1), faults("colour_split"))),
    "p07": ((frozen(0.5), faults("blurred")), (reshaped("heart", "circle", 0.72),)),
    "p08": ((recoloured("square", "#c0504d"), faults("stutter")),),
    "p09": (
        (reshaped("ball", "square", 0.24), recoloured("ball", "#e2843b")),
        (frozen(0.45),),
        (faults("shaky", "noisy"),),
    ),
    "p10": ((missing("circle"),), (recoloured("triangle", "#9b5de5"), faults("ghosted"))),
    "p11": ((frozen(1.0),), (faults("blocky"),)),
    "p12": ((frozen(1.0), faults("blurred")),),
    "p13": ((at_speed(-1), faults("dim")), (frozen(),)),
    "p14": ((frozen(0.2),), (recoloured("lamp", "#7ce07c"), faults("noisy"))),
    "p15": ((missing("amber", "green"),), (at_speed(1.6), faults("bent"))),
    "p16": ((frozen(0.5),), (recoloured("pendulum", "#7f8fa6"), faults("stutter"))),
    "p17": ((frozen(),), (faults("shaky"),), (missing("sails", "hub"), faults("washed"))),
    "p18": ((recoloured("balloon", "#3b82f6"),), (at_speed(-1), faults("noisy"))),
    "p19": ((frozen(0.8),), (faults("blocky", "dim"),)),
    "p20": ((missing("fish"),), (recoloured("fish", "#8d99ae"), faults("colour_split"))),
    "p21": ((frozen(1.0),),),
    "p22": ((frozen(),), (missing("rain"), faults("drifting_colour"))),
    "p23": ((at_speed(-1), recoloured("planet", "#e5484d")), (frozen(0.6), faults("noisy"))),
    "p24": ((frozen(0.8),), (at_speed(0.3), faults("bent"))),
    "p25": ((frozen(0.5), faults("noisy")),),
    "p26": ((frozen(0.6),), (recoloured("flower", "#b56576"), faults("blurred"))),
    "p27": (
        (frozen(0.2),),
        (reshaped("sign", "circle", 0.7), recoloured("sign", "#2f7de1"), recoloured("light", "#6bb0ff")),
    ),
    "p28": ((frozen(0.4),), (missing("figure"),)),
    "p29": ((missing("flame", "match"),), (faults("ghosted", "noisy"),)),
    "p30": ((frozen(1.2),), (recoloured("dark", "#8fd694"), at_speed(0.5))),
}
BROKEN = "p12-c"  # one more clip of this prompt, which is cut off: it shows what a failed import looks like


def takes() -> tuple[Take, ...]:
    """Return every clip to make, in the order of the manifest."""
    made: list[Take] = []
    for prompt, scene in SCENES.items():
        for place, variations in enumerate(((), *FALLING_SHORT[prompt])):
            shown = scene()
            for variation in variations:
                shown = variation(shown)
            fixed = FIXED_ENCODINGS.get(prompt)
            encoding = fixed[place] if fixed else ENCODINGS[len(made) % len(ENCODINGS)]
            made.append(_take(f"{prompt}-{'abcd'[place]}", shown, encoding))
    broken = _take(BROKEN, SCENES[BROKEN[:3]](), ENCODINGS[0])
    return (*made, replace(broken, broken=True))


def _take(key: str, scene: Scene, encoding: Encoding) -> Take:
    prompt = key.partition("-")[0]
    size, seconds = SIZES.get(prompt, WIDE), SECONDS.get(prompt, 3.0)
    if encoding.extension == "gif" and size == WIDE:
        size = MIDDLE  # as people do, because GIFs are large
    return Take(key, prompt, scene, encoding, size, seconds)
