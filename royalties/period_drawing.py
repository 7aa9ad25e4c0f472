"""The picture of a month: bands as broad as the euros they stand for, from what was paid to where it went.

Floats are allowed here: a drawing is looked at, never paid. Every figure in it is printed exactly, and stands in the
table beneath it too.
"""

from dataclasses import dataclass, field

from members import money

HEIGHT = 330.0
WIDTH, NODE_WIDTH = 1180, 12
COLUMNS = (0, 330, 560, 880)
TOP, GAP, LABEL_HEIGHT = 8.0, 10.0, 48.0
NARROW_WIDTH, NARROW_GAP = 356.0, 1.5
# How broad a letter is in the narrow picture, about: a word stands only where it fits.
LETTER_WIDTH = 8.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the month's money, in micros. `is_coops` is the co-op's, drawn in its colour."""

    name: str
    micros: int
    note: str = ""
    is_coops: bool = False

    @property
    def amount(self) -> str:
        """Return the sum as people read it."""
        return money.show(self.micros)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What the picture shows: where it came from, how it was divided, where each part went."""

    sources: list[Part]
    charged: Part
    creators: Part
    coop: Part
    to_creators: list[Part]
    to_coop: list[Part]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part in its place, in units of the drawing."""

    part: Part
    x: float
    y: float
    height: float

    @property
    def text_x(self) -> float:
        """Where its words begin."""
        return self.x + NODE_WIDTH + 10

    @property
    def text_y(self) -> float:
        """Where its first line of words stands."""
        return self.y + (15 if self.height > 15 else 11)

    @property
    def note_y(self) -> float:
        """Where its second line stands."""
        return self.text_y + 17


@dataclass(frozen=True, kw_only=True)
class Band:
    """A band from one part to another, as SVG draws it."""

    path: str
    is_coops: bool


@dataclass(frozen=True, kw_only=True)
class Block:
    """A part of the narrow picture: how far from the left, and how broad. `word` is what fits into it."""

    part: Part
    x: float
    width: float
    word: str = ""


@dataclass(kw_only=True)
class Flow:
    """The picture, wide and narrow."""

    height: float
    nodes: list[Node] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    rows: list[list[Block]] = field(default_factory=list)


def flow(sums: Sums) -> Flow | None:
    """Return the picture of a month, or None where nothing was charged or the co-op spent more than its part."""
    if sums.charged.micros <= 0 or any(part.micros < 0 for part in [*sums.to_creators, *sums.to_coop]):
        return None
    scale = HEIGHT / sums.charged.micros
    sources = _stack(sums.sources, x=COLUMNS[0], scale=HEIGHT / max(1, sum(part.micros for part in sums.sources)))
    charged = Node(part=sums.charged, x=COLUMNS[1], y=TOP + GAP, height=HEIGHT)
    halves = _stack([sums.creators, sums.coop], x=COLUMNS[2], scale=scale, gap=42.0)
    ends = _stack([*sums.to_creators, *sums.to_coop], x=COLUMNS[3], scale=scale)
    nodes = [*sources, charged, *halves, *ends]
    drawn = Flow(height=max(node.y + max(node.height, LABEL_HEIGHT) for node in nodes) + 4, nodes=nodes)
    drawn.bands += _join(sources, [charged])
    drawn.bands += _join([charged], halves)
    drawn.bands += _join([halves[0]], ends[: len(sums.to_creators)])
    drawn.bands += _join([halves[1]], ends[len(sums.to_creators) :])
    drawn.rows = [_row(sums.sources), _row([sums.creators, sums.coop]), _row([*sums.to_creators, *sums.to_coop])]
    return drawn


def _stack(parts: list[Part], *, x: float, scale: float, gap: float = GAP) -> list[Node]:
    """Put parts under one another, far enough apart for their words."""
    nodes, y = [], TOP
    for part in parts:
        height = max(1.0, part.micros * scale)
        nodes.append(Node(part=part, x=x, y=y, height=height))
        y += max(height + gap, LABEL_HEIGHT)
    return nodes


def _join(lefts: list[Node], rights: list[Node]) -> list[Band]:
    """Draw bands between one node and several: at each end they lie one upon the other, as high as the nodes are."""
    one, several = (lefts[0], rights) if len(lefts) == 1 else (rights[0], lefts)
    bands, at = [], one.y
    whole = sum(node.height for node in several) or 1.0
    for node in several:
        share = node.height / whole * one.height
        ends = [(one.x, at, share), (node.x, node.y, node.height)]
        left, right = ends if len(lefts) == 1 else ends[::-1]
        bands.append(Band(path=_curve(left, right), is_coops=node.part.is_coops))
        at += share
    return bands


def _curve(left: tuple[float, float, float], right: tuple[float, float, float]) -> str:
    (x1, y1, h1), (x2, y2, h2) = left, right
    x1 += NODE_WIDTH
    middle = (x1 + x2) / 2
    return (
        f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}v{h2:.1f}"
        f"C{middle:.1f} {y2 + h2:.1f} {middle:.1f} {y1 + h1:.1f} {x1:.1f} {y1 + h1:.1f}z"
    )


def _row(parts: list[Part]) -> list[Block]:
    """Put parts side by side, as broad as they are large."""
    whole = sum(part.micros for part in parts) or 1
    blocks, x = [], 0.0
    for part in parts:
        width = part.micros / whole * NARROW_WIDTH
        word = part.name if width >= LETTER_WIDTH * (len(part.name) + 1) else ""
        blocks.append(Block(part=part, x=x, width=max(0.5, width - NARROW_GAP), word=word))
        x += width
    return blocks
