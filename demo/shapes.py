"""Shapes as pictures with soft edges, drawn by ffmpeg's `geq` from distance formulas.

A shape is drawn once and then repeated, so a clip costs little more than its encoding. Formulas use `ld(0)` and
`ld(1)`: the distance to the right of the centre and below it. At the edge of the shape's box it is 1.
"""

import math
from typing import Any

import ffmpeg

U, V = "ld(0)", "ld(1)"

# Each formula is a distance. Inside the shape it is below the given bound.
DISTANCES: dict[str, tuple[str, float]] = {
    "circle": (f"hypot({U},{V})", 0.97),
    "ring": (f"abs(hypot({U},{V})-0.78)", 0.17),
    "square": (f"hypot(max(abs({U})-0.62,0),max(abs({V})-0.62,0))", 0.2),
    "diamond": (f"(abs({U})+abs({V}))*0.7071", 0.66),
    "triangle": (f"max(abs({U})*0.866+(0.25-{V})*0.5,{V}-0.25)", 0.55),
    "star": (
        f"hypot({U},{V})*(0.384*cos(abs(mod(atan2({U},-{V})+6.91150,1.256637)-0.628319))"
        f"+0.923*sin(abs(mod(atan2({U},-{V})+6.91150,1.256637)-0.628319)))",
        0.365,
    ),
    "heart": (
        f"min((abs({U})+abs({V}-0.12))*0.7071,min(hypot({U}-0.368,{V}+0.248),hypot({U}+0.368,{V}+0.248)))",
        0.52,
    ),
    "crescent": (f"max(hypot({U},{V})-0.9,0.78-hypot({U}-0.42,{V}+0.12))", 0.0),
    "cloud": (
        f"min(min(hypot({U}+0.5,{V}-0.25)-0.36,hypot({U}-0.5,{V}-0.22)-0.38),"
        f"min(hypot({U}+0.12,{V}+0.1)-0.48,hypot(max(abs({U})-0.5,0),{V}-0.35)-0.26))",
        0.0,
    ),
    "flower": (f"hypot({U},{V})-0.34*cos(6*atan2({V},{U}))", 0.6),
    "ellipse": (f"hypot({U},{V})", 0.95),
    "hull": (f"max(abs({U})+({V}+0.6)*0.45-0.95,max(-0.55-{V},{V}-0.75))", 0.0),
    "sail": (f"max(-{U}-0.85,max({V}-0.9,({U}+0.85)*0.72-({V}+0.95)*0.62))", 0.0),
    "fish": (
        f"min(hypot({U}+0.22,{V}*1.6)-0.68,max(abs({V})-({U}-0.28)*0.95,{U}-0.92))",
        0.0,
    ),
    "roof": (f"max(abs({U})*0.7-({V}+0.9)*0.36,{V}-0.95)", 0.0),
    "vanes": (
        f"min(max(abs({U})-0.035,abs({V})-0.95),min(max(abs({V})-0.035,abs({U})-0.95),"
        f"min(max(abs({U}-0.13*sgn({V}))-0.1,abs(abs({V})-0.58)-0.36),"
        f"max(abs({V}+0.13*sgn({U}))-0.1,abs(abs({U})-0.58)-0.36))))",
        0.0,
    ),
    "pendulum": (f"min(max(abs({U})-0.012,abs({V}-0.36)-0.36),hypot({U},{V}-0.74)-0.2)", 0.0),
    "hand": (f"max(abs({U})-0.055,abs({V}+0.37)-0.45)", 0.0),
    "exclamation": (
        f"min(hypot({U},{V}-0.68)-0.17,max(abs({U})-0.17+({V}+0.8)*0.05,abs({V}+0.25)-0.6))",
        0.0,
    ),
    "person": (
        f"min(hypot({U},{V}+0.68)-0.25,hypot({U},max(abs({V}-0.32)-0.34,0))-0.28)",
        0.0,
    ),
}


def picture(
    shape: str,
    colour: str,
    width: int,
    height: int,
    rate: str,
    serial: int,
    *,
    opacity: float = 1.0,
    ball: bool = False,
) -> Any:
    """Return an endless stream of one `shape` in `colour` ("#rrggbb") on nothing, `width` × `height` pixels.

    `serial` must differ for each picture of a scene, because ffmpeg-python merges two equal sources into one.
    """
    # Only the first frame is used, so the length does not matter.
    blank = f"s={width}x{height}:r={rate}:d={serial + 1}"
    if shape == "block":
        plain = ffmpeg.input(f"color=c={colour.replace('#', '0x')}@{opacity}:{blank},format=rgba", f="lavfi")
        return repeated(plain.filter("trim", end_frame=1))
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    centre = "st(0,(X+0.5)/W*2-1);st(1,(Y+0.5)/H*2-1);"
    light = f"(1.2-0.38*hypot({U}+0.35,{V}+0.4))" if ball else f"(1.04-0.1*({V}+1)/2)"
    paint = {
        channel: f"{centre}clip({value}*{light},0,255)" for channel, value in (("r", red), ("g", green), ("b", blue))
    }
    source = ffmpeg.input(f"color=c=black:{blank}", f="lavfi")
    drawn = source.filter("trim", end_frame=1).filter("format", "gbrap")
    drawn = drawn.filter("geq", **paint, a=f"{centre}255*{opacity}*({_cover(shape)})", interpolation="n")
    return repeated(drawn)


def sky(top: str, bottom: str, width: int, height: int, rate: str) -> Any:
    """Return an endless stream that fades from the colour `top` to the colour `bottom`."""
    part = "(Y+0.5)/H"
    paint = {
        channel: f"{int(top[place : place + 2], 16)}*(1-{part})+{int(bottom[place : place + 2], 16)}*{part}"
        for channel, place in (("r", 1), ("g", 3), ("b", 5))
    }
    strip = ffmpeg.input(f"color=c=black:s=16x{height}:r={rate}", f="lavfi").filter("trim", end_frame=1)
    drawn = strip.filter("format", "gbrp").filter("geq", **paint).filter("scale", width, height)
    return repeated(drawn.filter("format", "gbrp"))


def repeated(stream: Any) -> Any:
    """Return an endless stream of the first frame of `stream`."""
    return stream.filter("loop", loop=-1, size=1)


def _cover(shape: str) -> str:
    """Return how much of a pixel the shape covers, 0 to 1. At its edge that is a ramp one pixel wide."""
    if shape == "glow":
        return f"pow(clip(1-hypot({U},{V}),0,1),1.6)"
    distance, bound = DISTANCES[shape]
    return f"clip(({bound}-({distance}))*min(W,H)/2+0.5,0,1)"


def even(pixels: float) -> int:
    """Return an even number of pixels, at least 2."""
    return max(2, math.ceil(pixels / 2) * 2)
