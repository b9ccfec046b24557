"""A scene: a background, the shapes that move over it, and the ways in which a clip can be wrong.

Positions are fractions of the picture (0 to 1). Sizes are fractions of its shorter side. Motion is an ffmpeg expression
of `t`, the time in seconds. Nothing here flashes more than twice a second.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ffmpeg

from demo import shapes

_TIME = re.compile(r"\bt\b")


@dataclass(frozen=True)
class Layer:
    """One shape of a scene."""

    name: str
    shape: str
    colour: str  # "#rrggbb"
    size: float  # height, as a fraction of the picture's shorter side
    x: str = "0.5"  # centre
    y: str = "0.5"
    aspect: float = 1.0  # width over height
    turn: str = ""  # radians clockwise
    grow: str = ""  # factor on the size, at most 1
    shown: str = "1"  # drawn while not 0
    opacity: float = 1.0
    ball: bool = False  # lit from the upper left, as a ball is
    appear: tuple[float, float] | None = None  # fades in: from when, and over how many seconds
    vanish: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scene:
    """The content of a clip."""

    sky: tuple[str, str]  # colours at the top and at the bottom
    layers: tuple[Layer, ...] = ()
    moving_sky: str = ""  # an ffmpeg source in place of the sky; may use {width} {height} {rate}
    sky_filters: tuple[str, ...] = ()  # "name" or "name=option=value:…", applied to the moving sky
    faults: tuple[str, ...] = ()  # names in FAULTS
    speed: float = 1.0  # 0 stands still, −1 runs backwards
    still_at: float = 1.0  # the moment, in seconds, that a still scene shows


# Typical errors of generators, as filters on the finished picture.
FAULTS: Mapping[str, tuple[str, ...]] = {
    "noisy": ("format=pix_fmts=yuv444p", "noise=c0s=60:c1s=36:c2s=36:all_seed=7", "gblur=sigma=0.6"),
    "blurred": ("gblur=sigma=7",),
    "blocky": ("pixelize=w=20:h=20",),
    "stutter": ("fps=fps=4",),
    "ghosted": ("tmix=frames=12",),
    "colour_split": ("rgbashift=rh=-9:bh=9:gv=3",),
    "shaky": ("crop=w=iw*0.9:h=ih*0.9:x=(iw-ow)*(0.5+0.5*sin(19*t)):y=(ih-oh)*(0.5+0.5*sin(23*t+1))",),
    "dim": ("eq=contrast=0.5:brightness=-0.18:saturation=0.6",),
    "bent": ("lenscorrection=k1=0.45:k2=-0.35:i=bilinear", "crop=w=iw*0.84:h=ih*0.84"),
    "washed": ("eq=contrast=0.6:brightness=0.15:saturation=0.35",),
    "drifting_colour": ("hue=h=90*t",),
}


def still(scene: Scene, at: float = 1.0) -> Scene:
    """Return the scene without its motion, as it is at `at` seconds."""
    return replace(scene, speed=0.0, still_at=at)


def slowed(scene: Scene, speed: float) -> Scene:
    """Return the scene at another speed. −1 runs it backwards from its third second."""
    return replace(scene, speed=speed)


def faulty(scene: Scene, *faults: str) -> Scene:
    """Return the scene with faults over the whole picture."""
    return replace(scene, faults=scene.faults + faults)


def changed(scene: Scene, name: str, **changes: Any) -> Scene:
    """Return the scene with changes to the layers called `name`."""
    layers = tuple(replace(layer, **changes) if layer.name == name else layer for layer in scene.layers)
    return replace(scene, layers=layers)


def without(scene: Scene, *names: str) -> Scene:
    """Return the scene without the layers of these names."""
    return replace(scene, layers=tuple(layer for layer in scene.layers if layer.name not in names))


def draw(scene: Scene, width: int, height: int, rate: str, seconds: float) -> Any:
    """Return an ffmpeg-python stream of the scene, `seconds` long."""
    canvas = (shapes.even(width), shapes.even(height))
    stream = _background(scene, *canvas, rate)
    for serial, layer in enumerate(scene.layers):
        shape = _shape(layer, serial, scene, min(canvas), rate)
        stream = _draw_over(stream, shape, layer, scene)
    for fault in scene.faults:
        for written in FAULTS[fault]:
            stream = _filter(stream, written)
    stream = stream.filter("scale", width, height, flags="bicubic", out_color_matrix="bt709", out_range="tv")
    return stream.filter("setsar", "1").filter("fps", fps=rate).filter("trim", duration=seconds)


def _background(scene: Scene, width: int, height: int, rate: str) -> Any:
    if scene.moving_sky:
        source = scene.moving_sky.format(width=width, height=height, rate=rate)
        stream = ffmpeg.input(source, f="lavfi")
        for written in scene.sky_filters:
            stream = _filter(stream, written.format(width=width, height=height))
        stream = stream.filter("scale", width, height, flags="bicubic")
        if scene.speed == 0:
            stream = shapes.repeated(stream.filter("trim", start=scene.still_at).filter("trim", end_frame=1))
        return stream.filter("format", "gbrp").filter("setpts", "PTS-STARTPTS")
    return shapes.sky(*scene.sky, width, height, rate)


def _shape(layer: Layer, serial: int, scene: Scene, short_side: int, rate: str) -> Any:
    """Return the layer's picture, turned and sized for each moment of its clock."""
    tall = layer.size * short_side
    width, height = shapes.even(tall * layer.aspect), shapes.even(tall)
    shape = shapes.picture(
        layer.shape, layer.colour, width, height, rate, serial, opacity=layer.opacity, ball=layer.ball
    )
    if layer.turn:
        shape = shape.filter("rotate", a=_timed(layer.turn, scene), ow="hypot(iw,ih)", oh="ow", c="black@0")
    if layer.grow:
        grow = _timed(layer.grow, scene)
        sides = {"w": f"max(2,{width}*({grow}))", "h": f"max(2,{height}*({grow}))"}
        shape = shape.filter("scale", **sides, eval="frame", flags="bilinear")
    return _faded(shape, layer, scene)


def _draw_over(below: Any, shape: Any, layer: Layer, scene: Scene) -> Any:
    """Draw a shape over what is drawn so far."""
    return ffmpeg.overlay(
        below,
        shape,
        x=f"W*({_timed(layer.x, scene)})-w/2",
        y=f"H*({_timed(layer.y, scene)})-h/2",
        enable=_timed(layer.shown, scene),
        format="gbrp",
    )


def _faded(shape: Any, layer: Layer, scene: Scene) -> Any:
    """Return the layer with its fade. Fades follow the clock, so a still scene shows none."""
    if scene.speed == 0:
        return shape
    for kind, moment in (("in", layer.appear), ("out", layer.vanish)):
        if moment is not None:
            shape = shape.filter("fade", type=kind, start_time=moment[0], duration=moment[1], alpha=1)
    return shape


def _timed(expression: str, scene: Scene) -> str:
    """Return the expression with the scene's own clock in place of `t`."""
    if scene.speed == 1:
        return expression
    clock = f"{scene.still_at:g}" if scene.speed == 0 else f"{scene.speed:g}*t"
    if scene.speed < 0:
        clock = f"max(0,3{scene.speed:+g}*t)"
    return _TIME.sub(f"({clock})", expression)


def _filter(stream: Any, written: str) -> Any:
    """Apply a filter in ffmpeg's notation, "name=option=value:option=value"."""
    name, _, options = written.partition("=")
    pairs = (option.partition("=") for option in options.split(":") if option)
    return stream.filter(name, **{key: value for key, _, value in pairs})
