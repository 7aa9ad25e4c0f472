"""Sleeves: a work without artwork gets one drawn from its own loudness. Four drawings, eight pairs of colours.

Which of them is chosen by the work's id, so that a sleeve stays the same for ever. The drawing holds numbers and
colours only: nothing that came with the file is written into it.
"""

import math
import uuid
from collections.abc import Sequence

EDGE = 300
MEDIA_TYPE = "image/svg+xml"
MIDDLE = EDGE / 2
# Ground and ink.
COLOURS = (
    ("#1F2A44", "#E8C873"),
    ("#E2B13C", "#1C1714"),
    ("#2F5D50", "#F3ECDE"),
    ("#5A4A6B", "#F0D9B5"),
    ("#EFE6D4", "#1C1714"),
    ("#1C1714", "#F3ECDE"),
    ("#8FA9B5", "#1C1714"),
    ("#D9CBB0", "#28345A"),
)


def draw(*, work_id: uuid.UUID, loudness: Sequence[int]) -> str:
    """Return the sleeve of a work as an SVG document; `loudness` is the course of its sound, each 0..100."""
    ground, ink = COLOURS[work_id.int // 4 % 8]
    drawn = (
        lambda: _rings(loudness, ink),
        lambda: _rays(loudness, ink),
        lambda: _pillars(loudness, ink),
        lambda: _ridges(loudness, ground, ink),
    )[work_id.int % 4]()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {EDGE} {EDGE}" width="{EDGE}" height="{EDGE}">'
        f'<rect width="{EDGE}" height="{EDGE}" fill="{ground}"/>{drawn}</svg>\n'
    )


def _course(loudness: Sequence[int], count: int) -> list[float]:
    """Return the loudness at `count` places of the track, each the mean of its part, spread over 0..1."""
    if not loudness:
        return [0.5] * count
    means = []
    for place in range(count):
        start = place * len(loudness) // count
        part = loudness[start : max(start + 1, (place + 1) * len(loudness) // count)]
        means.append(sum(part) / len(part))
    low, high = min(means), max(means)
    return [(mean - low) / (high - low) if high > low else 0.5 for mean in means]


def _rings(loudness: Sequence[int], ink: str) -> str:
    return "".join(
        f'<circle cx="150" cy="150" r="{18 + 11 * ring}" fill="none" stroke="{ink}"'
        f' stroke-width="{2.4 + 5.4 * level:.1f}"/>'
        for ring, level in enumerate(_course(loudness, 12))
    )


def _rays(loudness: Sequence[int], ink: str) -> str:
    course = _course(loudness, 180)
    path = []
    for ray, level in enumerate(course):
        angle = 2 * math.pi * ray / len(course)
        x, y = math.sin(angle), -math.cos(angle)
        end = 62 + 8 + 76 * level
        path.append(f"M{MIDDLE + 62 * x:.0f} {MIDDLE + 62 * y:.0f}L{MIDDLE + end * x:.0f} {MIDDLE + end * y:.0f}")
    return (
        f'<path d="{"".join(path)}" stroke="{ink}" stroke-width="2.4" stroke-linecap="round"/>'
        f'<circle cx="150" cy="150" r="7" fill="{ink}"/>'
    )


def _pillars(loudness: Sequence[int], ink: str) -> str:
    drawn = []
    for pillar, level in enumerate(_course(loudness, 30)):
        height = 20 + round(174 * level)
        x, y = 24 + 8.5 * pillar, 270 - height
        drawn.append(f'<rect x="{x:.1f}" y="{y}" width="5.2" height="{height}" fill="{ink}"/>')
    return "".join(drawn)


def _ridges(loudness: Sequence[int], ground: str, ink: str) -> str:
    """Draw nine ridges one before the other, each a ninth of the track, highest in the middle of the sleeve."""
    points, rows = 20, 9
    course = _course(loudness, points * rows)
    drawn = []
    for row in range(rows):
        foot = 66 + 25 * row
        line = [f"M24 {foot}"]
        for point in range(points):
            across = (point + 0.5) / points
            height = 44 * math.sin(math.pi * across) ** 3 * (0.15 + 0.85 * course[row * points + point])
            line.append(f"L{24 + 252 * across:.0f} {foot - height:.0f}")
        line.append(f"L276 {foot}")
        line.append(f'" fill="{ground}" stroke="{ink}" stroke-width="2.2" stroke-linejoin="round"/>')
        drawn.append('<path d="' + "".join(line))
    return "".join(drawn)
