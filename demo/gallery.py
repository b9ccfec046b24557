"""The scenes of the demo's prompts. Each does what its prompt asks for."""

import random
from collections.abc import Callable

from demo.scenes import Layer, Scene

GRASS = ("#8fd694", "#4ea85f")
DAY = ("#5fb4ea", "#cfeafa")
NIGHT = ("#0d1b3e", "#2b3f78")


def _ground(colour: str, top: float, name: str = "ground") -> Layer:
    return Layer(name, "block", colour, 1.2, y=f"{top}+h/2/H", aspect=2.0)


def _stars(count: int, seed: int, lowest: float = 0.6) -> tuple[Layer, ...]:
    dice = random.Random(seed)  # noqa: S311 - the same stars every time
    return tuple(
        Layer("stars", "circle", "#fdf6d8", dice.choice([0.012, 0.018, 0.024]),
              x=f"{dice.uniform(0.03, 0.97):.3f}", y=f"{dice.uniform(0.04, lowest):.3f}")
        for _ in range(count)
    )  # fmt: skip


def _falling(
    name: str,
    shape: str,
    colour: str,
    count: int,
    seed: int,
    *,
    size: tuple[float, float],
    speed: tuple[float, float],
    aspect: float = 1.0,
    sway: float = 0.0,
) -> tuple[Layer, ...]:
    """Return flakes or drops that enter again at the top. `speed` is in picture heights per second."""
    dice = random.Random(seed)  # noqa: S311
    layers = []
    for _ in range(count):
        x, start, fall = dice.random(), dice.random() * 1.2, dice.uniform(*speed)
        layers.append(Layer(
            name, shape, colour, dice.uniform(*size), aspect=aspect, opacity=0.9,
            x=f"{x:.3f}+{sway}*sin(1.5*t+{6 * x:.2f})", y=f"mod({start:.3f}+{fall:.3f}*t,1.2)-0.1",
        ))  # fmt: skip
    return tuple(layers)


def _balloon(name: str, colour: str, x: float, start: float, speed: float) -> tuple[Layer, ...]:
    """Return a balloon with its string that rises `speed` picture heights per second."""
    across, up = f"{x}+0.012*sin(2*t+{9 * x:.1f})", f"{start}-{speed}*t"
    return (
        Layer(name, "block", "#6b7280", 0.22, x=across, y=f"{up}+0.2", aspect=0.03),
        Layer(name, "circle", colour, 0.3, x=across, y=up, aspect=0.86, ball=True),
    )


def rolling_ball() -> Scene:
    """Return the scene of p01."""
    across = "-0.08+0.4*t"
    return Scene(DAY, (
        _ground("#5cb85c", 0.55),
        Layer("shadow", "glow", "#123b1a", 0.2, x=across, y="0.81", aspect=2.4, opacity=0.7),
        Layer("ball", "circle", "#e23b3b", 0.36, x=across, y="0.66", ball=True),
    ))  # fmt: skip


def sunrise() -> Scene:
    """Return the scene of p02."""
    return Scene(("#6fa8dc", "#ffc27d"), (
        Layer("sun", "glow", "#fff1b8", 1.3, y="0.78-0.15*t", opacity=0.8),
        Layer("sun", "circle", "#ffd23f", 0.4, y="0.78-0.15*t"),
        _ground("#2f6fb3", 0.64),
        *(Layer("shine", "ellipse", "#bfe0ff", 0.02, aspect=12 + 3 * row, opacity=0.55,
                x=f"0.5+0.03*sin(1.7*t+{row})", y=f"{0.7 + 0.07 * row:.2f}") for row in range(4)),
    ))  # fmt: skip


def sailing_boat() -> Scene:
    """Return the scene of p03."""
    across, rock = "0.95-0.26*t", "0.05*sin(2.2*t)"
    return Scene(NIGHT, (
        *_stars(14, 3, 0.45),
        Layer("moon", "crescent", "#ffe9a8", 0.24, x="0.2", y="0.22"),
        Layer("boat", "sail", "#f7f7f2", 0.44, x=f"{across}+0.01", y=f"0.43+0.1*({rock})", turn=rock),
        Layer("boat", "hull", "#a8623a", 0.2, x=across, y=f"0.66+0.1*({rock})", aspect=2.3, turn=rock),
        _ground("#16407a", 0.7),
        *(Layer("wave", "ellipse", "#3f73b8", 0.02, aspect=9, opacity=0.7,
                x=f"mod({0.23 * spot:.2f}-0.08*t+2,1.2)-0.1", y=f"{0.76 + 0.05 * (spot % 5):.2f}")
          for spot in range(9)),
    ))  # fmt: skip


def snowfall() -> Scene:
    """Return the scene of p04."""
    return Scene(("#10203f", "#3c5488"), (
        Layer("hill", "ellipse", "#26355c", 1.3, x="0.2", y="1.22", aspect=1.7),
        Layer("hill", "ellipse", "#1b284a", 1.5, x="0.8", y="1.32", aspect=1.6),
        *_falling("snow", "circle", "#ffffff", 34, 11, size=(0.02, 0.055), speed=(0.14, 0.28), sway=0.015),
    ))  # fmt: skip


def balloons() -> Scene:
    """Return the scene of p05."""
    return Scene(DAY, (
        *_balloon("red", "#e5484d", 0.26, 0.95, 0.22),
        *_balloon("yellow", "#f5c518", 0.52, 0.78, 0.2),
        *_balloon("blue", "#3b82f6", 0.76, 1.05, 0.25),
    ))  # fmt: skip


def spinning_star() -> Scene:
    """Return the scene of p06."""
    return Scene(("#6b3fa0", "#3d1f6b"), (Layer("star", "star", "#ff9f1c", 0.72, turn="1.6*t"),))


def beating_heart() -> Scene:
    """Return the scene of p07."""
    return Scene(("#fff0f3", "#ffd6e0"), (
        Layer("heart", "heart", "#ec5f92", 0.8, grow="0.8+0.16*pow(abs(sin(3.14*t)),3)"),
    ))  # fmt: skip


def sliding_square() -> Scene:
    """Return the scene of p08."""
    across = "-0.15+0.65*(1-pow(1-min(t/2,1),3))"
    return Scene(("#fdf6e3", "#efe3c4"), (
        Layer("square", "glow", "#5b4a1f", 0.62, x=f"{across}+0.01", y="0.54", opacity=0.5),
        Layer("square", "square", "#2fa36b", 0.42, x=across),
    ))  # fmt: skip


def bouncing_ball() -> Scene:
    """Return the scene of p09: three bounces of 0.9 s, each lower than the last."""
    height = "abs(cos(3.4*t))*exp(-0.75*t)"
    return Scene(("#f4ede4", "#e6d8c3"), (
        _ground("#b07d4b", 0.78), Layer("floor", "block", "#8f6238", 0.02, y="0.78", aspect=100),
        Layer("shadow", "glow", "#3d2812", 0.14, y="0.86", aspect=2.6, opacity=0.8, grow=f"1-0.6*({height})"),
        Layer("ball", "circle", "#2f7de1", 0.26, x="0.5", y=f"0.72-0.55*({height})", ball=True),
    ))  # fmt: skip


def triangle_to_circle() -> Scene:
    """Return the scene of p10."""
    return Scene(("#f2fbfa", "#cdeeea"), (
        Layer("triangle", "triangle", "#159a8c", 0.72, y="0.47", vanish=(1.0, 1.2)),
        Layer("circle", "circle", "#159a8c", 0.62, appear=(0.8, 1.2)),
    ))  # fmt: skip


def fractal() -> Scene:
    """Return the scene of p11."""
    source = (
        "mandelbrot=s={width}x{height}:rate={rate}:maxiter=400:inner=black:"
        "start_scale=0.05:end_scale=0.0006:end_pts=160"
    )
    colours = ("format=pix_fmts=gray", "format=pix_fmts=yuv444p", "pseudocolor=preset=inferno")
    return Scene(("#000000", "#000000"), moving_sky=source, sky_filters=colours)


def game_of_life() -> Scene:
    """Return the scene of p12."""
    source = "life=s=64x36:r=10:ratio=0.3:seed=21:mold=60:life_color=0x7dffa8:death_color=0x0c2b22:mold_color=0x2f8f6a"
    enlarged = "scale=w={width}:h={height}:flags=neighbor"
    return Scene(("#000000", "#000000"), moving_sky=source, sky_filters=(enlarged,))


def drifting_clouds() -> Scene:
    """Return the scene of p13."""

    def cloud(x: float, y: float, size: float, speed: float) -> Layer:
        across = f"mod({x}-{speed}*t+1.9,1.6)-0.3"
        return Layer("cloud", "cloud", "#fff6ec", size, x=across, y=f"{y}", aspect=1.7, opacity=0.93)

    return Scene(("#f08a4b", "#ffd08a"), (
        cloud(0.25, 0.22, 0.24, 0.07), cloud(0.85, 0.34, 0.32, 0.1), cloud(0.45, 0.6, 0.46, 0.15),
        cloud(1.15, 0.7, 0.4, 0.14),
    ))  # fmt: skip


def lighthouse() -> Scene:
    """Return the scene of p14."""
    lit = "lt(mod(t,1),0.55)"
    return Scene(("#101a3a", "#27386b"), (
        *_stars(16, 8, 0.5),
        Layer("rock", "ellipse", "#1a2030", 0.9, x="0.5", y="1.13", aspect=2.6),
        Layer("tower", "block", "#e9e4da", 0.5, y="0.58", aspect=0.26),
        Layer("tower", "block", "#c8453b", 0.1, y="0.5", aspect=1.3),
        Layer("tower", "block", "#c8453b", 0.1, y="0.7", aspect=1.3),
        Layer("tower", "roof", "#c8453b", 0.14, y="0.19", aspect=1.5),
        Layer("lamp", "block", "#3a3f55", 0.1, y="0.29", aspect=1.0),
        Layer("lamp", "glow", "#ffe27a", 1.2, y="0.29", shown=lit),
        Layer("lamp", "circle", "#fff3b0", 0.12, y="0.29", shown=lit),
    ))  # fmt: skip


def traffic_light() -> Scene:
    """Return the scene of p15."""
    lamps = (("red", "#ff4b3e", "0.5-0.29*W/H", "lt(t,1.2)"), ("amber", "#ffb52e", "0.5", "between(t,1.2,2)"),
             ("green", "#3ddc6b", "0.5+0.29*W/H", "gte(t,2)"))  # fmt: skip
    off = tuple(Layer("off", "circle", "#3a3d42", 0.19, y=y) for _, _, y, _ in lamps)
    on = tuple(
        layer for name, colour, y, shown in lamps
        for layer in (Layer(name, "glow", colour, 0.46, y=y, shown=shown, opacity=0.8),
                      Layer(name, "circle", colour, 0.19, y=y, shown=shown))
    )  # fmt: skip
    case = Layer("case", "square", "#22252a", 0.95, aspect=0.42)
    return Scene(("#a9c7dd", "#dbe7ee"), (case, *off, *on))


def pendulum() -> Scene:
    """Return the scene of p16. The picture of the pendulum is centred on its pivot."""
    return Scene(("#1f2f5c", "#16213f"), (
        Layer("pendulum", "pendulum", "#e8b93b", 1.5, y="0.1", turn="0.62*sin(3.1*t)"),
        Layer("pivot", "circle", "#c8cede", 0.07, y="0.1"),
    ))  # fmt: skip


def windmill() -> Scene:
    """Return the scene of p17."""
    return Scene(DAY, (
        Layer("cloud", "cloud", "#ffffff", 0.22, x="0.85-0.06*t", y="0.2", aspect=1.8),
        Layer("hill", "ellipse", "#63b35c", 1.4, y="1.42", aspect=2.6),
        Layer("tower", "hull", "#b9835a", 0.6, y="0.62", aspect=0.42, turn="PI"),
        Layer("sails", "vanes", "#fffdf5", 0.78, y="0.4", turn="1.3*t"),
        Layer("hub", "circle", "#7d5436", 0.06, y="0.4"),
    ))  # fmt: skip


def red_balloon() -> Scene:
    """Return the scene of p18."""
    return Scene(DAY, (
        Layer("cloud", "cloud", "#ffffff", 0.2, x="0.2", y="0.75", aspect=1.8, opacity=0.9),
        Layer("cloud", "cloud", "#ffffff", 0.16, x="0.8", y="0.3", aspect=1.8, opacity=0.9),
        *_balloon("balloon", "#e5383b", 0.5, 0.95, 0.22),
    ))  # fmt: skip


def shooting_star() -> Scene:
    """Return the scene of p19."""
    across, down = "1.1-0.55*t", "-0.02+0.36*t"
    tail = tuple(
        Layer("meteor", "glow", "#cfe3ff", 0.13 - 0.008 * step, opacity=1 - 0.065 * step,
              x=f"{across}+{0.018 * step:.3f}", y=f"{down}-{0.0118 * step:.4f}") for step in range(14)
    )  # fmt: skip
    head = Layer("meteor", "circle", "#ffffff", 0.045, x=across, y=down)
    return Scene(("#070d24", "#22306b"), (*_stars(30, 5, 0.95), *tail, head))


def goldfish() -> Scene:
    """Return the scene of p20."""
    wag = "0.12*sin(7*t)"
    bubbles = tuple(
        Layer("bubble", "ring", "#e8fff6", 0.04 + 0.012 * (spot % 3), opacity=0.85,
              x=f"{0.12 + 0.13 * spot:.2f}+0.01*sin(3*t+{spot})", y=f"1.05-mod({0.29 * spot:.2f}+0.28*t,1.2)")
        for spot in range(7)
    )  # fmt: skip
    return Scene(("#2f9e78", "#125c4b"), (
        *bubbles,
        Layer("fish", "fish", "#ff9a3c", 0.34, x="1.1-0.26*t", y=f"0.36+0.1*({wag})", aspect=1.5, turn=wag),
        Layer("fish", "fish", "#ffb347", 0.34, x="-0.1+0.26*t", y=f"0.68-0.1*({wag})", aspect=1.5,
              turn=f"PI-{wag}"),
    ))  # fmt: skip


def humming_line() -> Scene:
    """Return the scene of p21. `showwaves` draws the line from a tone that gets louder."""
    source = (
        "aevalsrc='0.8*sin(2*PI*(1.2+0.3*sin(2*PI*t/2))*40*t)*(0.55+0.45*sin(2*PI*t))':s=48000,"
        "showwaves=s=320x180:mode=p2p:rate={rate}:colors=0x46ff8b:draw=full"
    )
    thicker = ("format=pix_fmts=gbrp", "dilation", "dilation")
    return Scene(("#000000", "#000000"), moving_sky=source, sky_filters=thicker)


def rain() -> Scene:
    """Return the scene of p22."""
    houses = tuple(
        layer
        for x, colour, wall in (
            (0.16, "#5b6570", "#798590"), (0.84, "#66717d", "#848f9a"), (0.5, "#4a535e", "#6a7580")
        )
        for layer in (
            Layer("wall", "block", wall, 0.4, x=f"{x}", y="0.86", aspect=1.25),
            Layer("window", "block", "#f3dc9a", 0.1, x=f"{x}-0.05", y="0.84", aspect=0.8),
            Layer("window", "block", "#f3dc9a", 0.1, x=f"{x}+0.05", y="0.84", aspect=0.8),
            Layer("roof", "roof", colour, 0.3, x=f"{x}", y="0.58", aspect=2.1),
        )
    )  # fmt: skip
    drops = _falling("rain", "block", "#e6eef5", 40, 4, size=(0.07, 0.11), speed=(1.1, 1.6), aspect=0.045)
    return Scene(("#8c98a4", "#b9c1c8"), (*houses, *drops))


def planets() -> Scene:
    """Return the scene of p23."""
    turn = "2.1*t"
    return Scene(("#0b0f2b", "#1b1440"), (
        *_stars(26, 15, 0.96),
        Layer("sun", "glow", "#ff9d3b", 1.0, opacity=0.7),
        Layer("sun", "circle", "#ff8c2b", 0.36, ball=True),
        Layer("planet", "circle", "#4aa3ff", 0.12, x=f"0.5+0.36*cos({turn})", y=f"0.5+0.3*sin({turn})",
              ball=True),
    ))  # fmt: skip


def clock_hand() -> Scene:
    """Return the scene of p24: one turn in 3 seconds."""
    marks = tuple(
        Layer("mark", "circle", "#8a94a6", 0.035,
              x=f"0.5+0.36*cos({step}*PI/6)*H/W", y=f"0.5+0.36*sin({step}*PI/6)")
        for step in range(12)
    )  # fmt: skip
    return Scene(("#dfe6f0", "#c3cede"), (
        Layer("face", "circle", "#ffffff", 0.9), *marks,
        Layer("hand", "hand", "#d1495b", 0.8, turn="2*PI*t/3"), Layer("hub", "circle", "#33415c", 0.07),
    ))  # fmt: skip


def rainbow() -> Scene:
    """Return the scene of p25."""
    wave = "165+72*sin(2*PI*(X/56+Y/130-0.35*T)+{shift})"
    thirds = (("r", 0), ("g", 2.1), ("b", 4.2))
    channels = ":".join(f"{name}='{wave.format(shift=shift)}'" for name, shift in thirds)
    return Scene(("#000000", "#000000"), moving_sky=f"color=s=96x54:r={{rate}},format=gbrp,geq={channels}")


def opening_flower() -> Scene:
    """Return the scene of p26."""
    return Scene(("#2c5e3a", "#173d24"), (
        Layer("stem", "block", "#5fa052", 0.6, y="0.8", aspect=0.05),
        Layer("flower", "flower", "#fffaf0", 0.8, y="0.44", grow="0.14+0.86*min(t/2.6,1)", turn="0.25*t"),
        Layer("heart", "circle", "#f2b632", 0.2, y="0.44", grow="0.4+0.6*min(t/2.6,1)"),
    ))  # fmt: skip


def warning_triangle() -> Scene:
    """Return the scene of p27: one flash per second, well below what can be harmful."""
    lit = "lt(mod(t,1),0.6)"
    return Scene(("#9aa0a6", "#7f868c"), (
        Layer("light", "glow", "#ff6b5e", 1.3, opacity=0.6, shown=lit),
        Layer("sign", "triangle", "#d7263d", 0.86, y="0.46", shown=lit),
        Layer("mark", "exclamation", "#fff4f0", 0.32, y="0.55", aspect=0.6, shown=lit),
    ))  # fmt: skip


def cliff_edge() -> Scene:
    """Return the scene of p28: the figure walks for 1.6 s, waits, and steps back."""
    across = "0.12+0.24*min(t,1.6)-0.09*clip(t-2.2,0,1)"
    return Scene(("#9ec9e2", "#f3e6cf"), (
        Layer("cliff", "block", "#8a6d54", 1.2, x="0.56-w/2/W", y="0.66+h/2/H", aspect=1.6),
        Layer("cliff", "block", "#6f9a57", 0.05, x="0.56-w/2/W", y="0.66", aspect=38),
        Layer("figure", "person", "#2e3a59", 0.34, x=across, y="0.5+0.008*sin(12*min(t,1.6))"),
    ))  # fmt: skip


def flame_and_paper() -> Scene:
    """Return the scene of p29: the flame comes near the sheet of paper but does not touch it."""
    across, waver = "0.15+0.12*min(t,2.2)", "0.08*sin(9*t)+0.05*sin(14*t)"
    return Scene(("#2d2a32", "#46404c"), (
        Layer("paper", "block", "#f7f3e8", 0.66, x="0.74", aspect=0.74),
        *(Layer("paper", "block", "#c9c2b2", 0.012, x="0.74", y=f"{0.28 + 0.08 * line:.2f}", aspect=28)
          for line in range(6)),
        Layer("flame", "glow", "#ff9a3c", 0.9, x=across, y="0.55", opacity=0.6),
        Layer("flame", "ellipse", "#ff8c2b", 0.42, x=across, y="0.52", aspect=0.46, turn=waver),
        Layer("flame", "ellipse", "#ffe08a", 0.22, x=across, y="0.58", aspect=0.5, turn=waver),
        Layer("match", "block", "#a9784a", 0.36, x=across, y="0.9", aspect=0.07),
    ))  # fmt: skip


def follower() -> Scene:
    """Return the scene of p30."""
    return Scene(("#39425c", "#232a3f"), (
        Layer("dark", "glow", "#05060b", 0.9, x="-0.05+0.2*t", y="0.5+0.03*sin(2*t-1)", opacity=0.9),
        Layer("dark", "circle", "#0b0d15", 0.5, x="-0.05+0.2*t", y="0.5+0.03*sin(2*t-1)"),
        Layer("bright", "glow", "#fff2a8", 0.5, x="0.36+0.17*t", y="0.5+0.05*sin(4*t)", opacity=0.7),
        Layer("bright", "circle", "#ffe680", 0.16, x="0.36+0.17*t", y="0.5+0.05*sin(4*t)"),
    ))  # fmt: skip


SCENES: dict[str, Callable[[], Scene]] = {
    f"p{number:02}": scene
    for number, scene in enumerate([
        rolling_ball, sunrise, sailing_boat, snowfall, balloons, spinning_star, beating_heart, sliding_square,
        bouncing_ball, triangle_to_circle, fractal, game_of_life, drifting_clouds, lighthouse, traffic_light,
        pendulum, windmill, red_balloon, shooting_star, goldfish, humming_line, rain, planets, clock_hand,
        rainbow, opening_flower, warning_triangle, cliff_edge, flame_and_paper, follower,
    ], start=1)
}  # fmt: skip
