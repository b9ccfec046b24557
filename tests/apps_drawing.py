"""`python -m tests.apps_drawing`: draw docs/apps.svg, which shows which app imports which."""

import sys
from itertools import pairwise
from statistics import mean
from xml.sax.saxutils import escape

import grimp

from diptych.embedded.state import REPOSITORY
from tests.layout import APPS

DRAWING = REPOSITORY / "docs" / "apps.svg"
#: Pixels.
WIDTH, BOX_WIDTH, BOX_HEIGHT, ROW_HEIGHT, MARGIN = 1140, 180, 76, 116, 20

STYLE = """
  rect { fill: #fff; stroke: #57606a; }
  rect.page { fill: #f6f8fa; stroke: none; }
  line { stroke: #57606a; stroke-width: 1.5; marker-end: url(#head); }
  text { font: 15px sans-serif; fill: #1f2328; text-anchor: middle; }
  text.more { font-size: 11px; fill: #57606a; }
"""

#: The apps that each app imports.
Imports = dict[str, set[str]]


def imports() -> Imports:
    """Return the apps that each app imports directly, without itself and without `diptych`."""
    graph = grimp.build_graph(*APPS, cache_dir=None)
    found: Imports = {app: set() for app in APPS}
    for module in graph.modules:
        app = module.partition(".")[0]
        used = {name.partition(".")[0] for name in graph.find_modules_directly_imported_by(module)}
        found[app] |= used - {app}
    return found


def below(app: str, direct: Imports) -> set[str]:
    """Return every app that this app reaches by imports."""
    return direct[app].union(*(below(used, direct) for used in direct[app]))


def arrows(app: str, direct: Imports) -> list[str]:
    """Return the imports that are drawn: those that no chain of other imports implies."""
    return sorted(
        used for used in direct[app] if not any(used in below(other, direct) for other in direct[app] - {used})
    )


def row(app: str, direct: Imports) -> int:
    """Return the row of an app, counted from the bottom: the length of its longest chain of imports."""
    return max((row(used, direct) + 1 for used in direct[app]), default=0)


def places(direct: Imports) -> dict[str, tuple[int, int]]:
    """Return the centre of each box, in pixels. An app that imports nothing and that nothing imports is at the top."""
    used = set().union(*direct.values())
    top = max(row(app, direct) for app in direct)
    rows: list[list[str]] = [[] for _ in range(top + 1)]
    for app in sorted(direct):
        rows[row(app, direct) if direct[app] or app in used else top].append(app)
    centres: dict[str, tuple[int, int]] = {}
    for height, apps in enumerate(rows):
        # Boxes stand in the order of what they import, so that few arrows cross.
        order = {app: mean([centres[one][0] for one in arrows(app, direct)] or [WIDTH]) for app in apps}
        for index, app in enumerate(sorted(apps, key=order.__getitem__)):
            x = WIDTH * (2 * index + 1) // (2 * len(apps))
            centres[app] = x, MARGIN + BOX_HEIGHT // 2 + (top - height) * ROW_HEIGHT
    return centres


def wrapped(words: list[str], most: int = 30) -> list[str]:
    """Return the words, with commas between them, in lines of at most so many characters."""
    lines = [""]
    for word, following in pairwise([*words, ""]):
        text = f"{word}, " if following else word
        if len(lines[-1] + text) > most:
            lines.append("")
        lines[-1] += text
    return [line.strip() for line in lines]


def drawing() -> str:
    """Return the drawing as SVG."""
    direct = imports()
    centres = places(direct)
    parts = []
    for app, (x, y) in centres.items():
        for used in arrows(app, direct):
            to_x, to_y = centres[used]
            parts.append(f'<line x1="{x}" y1="{y + BOX_HEIGHT // 2}" x2="{to_x}" y2="{to_y - BOX_HEIGHT // 2 - 3}"/>')
    for app, (x, y) in centres.items():
        parts.append(
            f'<rect x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" '
            f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        )
        more = sorted(direct[app] - set(arrows(app, direct)))
        lines = wrapped(more) if more else []
        parts.append(f'<text x="{x}" y="{y + 5 - 7 * len(lines)}">{escape(app)}</text>')
        parts += [
            f'<text class="more" x="{x}" y="{y + 10 + 13 * index - 5 * (len(lines) - 1)}">{escape(line)}</text>'
            for index, line in enumerate(lines)
        ]
    height = max(y for _, y in centres.values()) + BOX_HEIGHT // 2 + MARGIN
    sentence = "An arrow leads from an app to one that it imports. Small names are imports that the arrows imply."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{sentence}</title>",
            f"<style>{STYLE}</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker>',
            f'<rect class="page" width="{WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def main() -> int:
    DRAWING.write_text(drawing())
    return 0


if __name__ == "__main__":
    sys.exit(main())
