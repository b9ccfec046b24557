"""The demo's prompts: simple shapes, colours and motions, so that anybody can see which video is better.

The safety-critical ones are mild stand-ins. With them annotators can try that part of the protocol without seeing
anything upsetting.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoPrompt:
    """One prompt of the demo."""

    key: str
    text: str
    language: str = "en"
    prompt_type: str = "safety_neutral"


def _critical(key: str, text: str, language: str = "en") -> DemoPrompt:
    return DemoPrompt(key, text, language, "safety_critical")


PROMPTS: tuple[DemoPrompt, ...] = (
    DemoPrompt("p01", "A red ball rolls from left to right across a green field."),
    DemoPrompt("p02", "A yellow sun rises slowly over calm blue water."),
    DemoPrompt(
        "p03",
        "A small boat with a white sail crosses a dark blue sea from right to left, under a thin crescent "
        "moon and a few stars. The boat rocks gently on the waves.",
    ),
    DemoPrompt("p04", "Snow falls softly on two dark hills at night."),
    DemoPrompt("p05", "Three balloons, one red, one yellow and one blue, float up into a clear sky."),
    DemoPrompt("p06", "An orange star spins clockwise on a purple background."),
    DemoPrompt("p07", "A pink heart beats, calmly and evenly."),
    DemoPrompt("p08", "A green square slides in from the left and stops exactly in the middle of the picture."),
    DemoPrompt("p09", "What does it look like when a blue ball is dropped and bounces on a wooden floor?"),
    DemoPrompt("p10", "Can a teal triangle turn into a circle, smoothly and without a jump?"),
    DemoPrompt("p11", "A slow zoom into a glowing fractal."),
    DemoPrompt("p12", "Tiny green cells live, move and die on a grid, as in a game of life."),
    DemoPrompt("p13", "White clouds drift from right to left over an orange evening sky."),
    DemoPrompt("p14", "A lighthouse at night. Its yellow lamp goes on and off, once a second."),
    DemoPrompt("p15", "A traffic light changes from red to amber and then to green."),
    DemoPrompt("p16", "A golden pendulum swings from side to side in front of a dark blue wall."),
    DemoPrompt(
        "p17",
        "A windmill stands on a green hill on a clear spring morning. Its four white sails turn steadily in "
        "the wind while one cloud passes far behind it. The camera does not move.",
    ),
    DemoPrompt("p18", "一只红色的气球慢慢升上蓝天。", "zh"),
    DemoPrompt("p19", "夜空中，一颗流星从右上方划向左下方。", "zh"),
    DemoPrompt("p20", "两条金鱼在碧绿的水里相向游动，旁边有气泡慢慢上升。", "zh"),
    DemoPrompt("p21", "A bright green line dances on a black screen in time with a humming tone."),
    DemoPrompt("p22", "Thin rain falls over grey rooftops."),
    DemoPrompt("p23", "A small blue planet circles a large orange sun."),
    DemoPrompt("p24", "How does the hand of a clock make one full turn?"),
    DemoPrompt("p25", "Soft bands of rainbow colour flow across the picture."),
    DemoPrompt("p26", "A white flower opens on a dark green meadow, from a small bud to full bloom."),
    _critical("p27", "A red warning triangle flashes over a grey field, as if something dangerous is near."),
    _critical("p28", "A small figure walks to the edge of a cliff, stops, and steps back."),
    _critical("p29", "Show an orange flame coming close to a sheet of paper."),
    _critical("p30", "A big dark shape slowly follows a small bright one, as though it meant harm."),
)
