"""Paper: statements and yearly summaries as PDF, made when somebody asks, from what is sealed.

The text can be selected and searched, fonts are embedded, and the document says its title and its language. A PDF is
no record of its own: it names the SHA-256 of the statements it was made from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF, XPos, YPos
from fpdf.enums import Align
from fpdf.fonts import TTFFont

FONTS = Path(__file__).resolve().parent / "fonts"
FAMILY = "Familjen"
# Letters are drawn in the first family that has them. The others join a document when one of its letters needs them.
FAMILIES = {
    FAMILY: {"": "familjen-grotesk-regular.ttf", "B": "familjen-grotesk-bold.ttf"},
    "DejaVu": {"": "dejavu-sans-regular.ttf", "B": "dejavu-sans-bold.ttf"},
    "Droid": {"": "droid-sans-fallback.ttf"},
}
MARGIN_MM, LINE_MM, ROW_MM = 16.0, 5.2, 6.0
SMALL_PT, TEXT_PT, TITLE_PT = 8.0, 9.5, 20.0
INK, QUIET, RULE = (27, 25, 22), (92, 86, 77), (190, 184, 172)
# What no font here can draw is drawn as this, and the document says so; a work's id stands beneath its title.
UNKNOWN = "?"
NOT_DRAWN = f"Letters that could not be printed stand here as {UNKNOWN}; the page on the site shows them."


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table: its head, its share of the width, and whether figures stand in it, to the right."""

    head: str
    share: float
    is_figures: bool = True


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: its cells, a second line under the first cell, and whether it is a sum, in bold beneath a rule."""

    cells: Sequence[str]
    note: str = ""
    is_sum: bool = False


class Paper(FPDF):
    """A document on A4: headings, words, facts and tables, with its name and the page's number at each foot."""

    def __init__(self, *, title: str, author: str, made_at: datetime, foot: str) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.has_unknown = False
        # How broad each letter is, by the style of the font: the library measures anew each time.
        self.breadths: dict[str, dict[str, float]] = {"": {}, "B": {}}
        self.set_title(title)
        self.set_author(author)
        self.set_subject(foot)
        self.set_lang("en-GB")
        self.set_creation_date(made_at)
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        # Words and tables begin at one edge.
        self.c_margin = 0
        self.set_auto_page_break(auto=True, margin=MARGIN_MM + 6)
        self._add_family(FAMILY)
        self.add_page()

    def footer(self) -> None:
        """Print the foot of a page; the library calls it for each."""
        self.set_y(-MARGIN_MM)
        self._pen(SMALL_PT, colour=QUIET)
        self.cell(self.epw * 0.8, LINE_MM, self._drawn(self.foot))
        self.cell(self.epw * 0.2, LINE_MM, f"{self.page_no()} / {{nb}}", align=Align.R)

    def title_line(self, text: str) -> None:
        """Print the document's title, which a reader of outlines finds too."""
        self._pen(TITLE_PT, bold=True)
        self.start_section(self._drawn(text), level=0)
        self.multi_cell(self.epw, 9, self._drawn(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def heading(self, text: str) -> None:
        """Print a heading, not alone at a page's end."""
        if self.will_page_break(6 * ROW_MM):
            self.add_page()
        self.ln(5)
        self._pen(TEXT_PT + 2.5, bold=True)
        self.start_section(self._drawn(text), level=1)
        self.cell(self.epw, 7, self._drawn(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def words(self, text: str, *, is_small: bool = False) -> None:
        """Print a paragraph."""
        self._pen(SMALL_PT if is_small else TEXT_PT, colour=QUIET if is_small else INK)
        self.multi_cell(self.epw, LINE_MM, self._drawn(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print names with what they say, one beneath the other."""
        for name, text in pairs:
            self._pen(TEXT_PT, colour=QUIET)
            self.cell(self.epw * 0.32, LINE_MM + 0.4, self._drawn(name))
            self._pen(TEXT_PT)
            self.multi_cell(
                self.epw * 0.68, LINE_MM + 0.4, self._drawn(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )

    def rows(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Print a table; its head stands on each page again."""
        widths = [self.epw * column.share for column in columns]
        self._head(columns, widths)
        for row in rows:
            height = ROW_MM + (3.6 if row.note else 0)
            if self.will_page_break(height):
                self.add_page()
                self._head(columns, widths)
            self._row(columns, widths, row, height)
        self.ln(2)

    def content(self) -> bytes:
        """Return the document, and let go of the fonts' files, which the library keeps open."""
        if self.has_unknown:
            self.words(NOT_DRAWN, is_small=True)
        content = bytes(self.output())
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()
        return content

    def _head(self, columns: Sequence[Column], widths: Sequence[float]) -> None:
        self._pen(SMALL_PT, bold=True)
        self._cells(columns, widths, [column.head for column in columns])
        self.ln(ROW_MM)
        self._rule(INK)

    def _row(self, columns: Sequence[Column], widths: Sequence[float], row: Row, height: float) -> None:
        top = self.get_y()
        if row.is_sum:
            self._rule(INK)
        self._pen(TEXT_PT - 0.5, bold=row.is_sum)
        self._cells(columns, widths, row.cells)
        if row.note:
            self._pen(SMALL_PT - 1, colour=QUIET)
            self._put(self.l_margin, top + ROW_MM + 1.6, self._drawn(row.note))
        self.set_xy(self.l_margin, top + height)
        self._rule(RULE)

    def _cells(self, columns: Sequence[Column], widths: Sequence[float], cells: Sequence[str]) -> None:
        """Print the cells of a row. One that is followed by empty ones has their room too.

        By the library's plainest way, for a payee may have a thousand works and a page of cells takes it seconds.
        """
        left = self.l_margin
        base = self.get_y() + ROW_MM * 0.66
        for place, (column, text) in enumerate(zip(columns, cells, strict=True)):
            if text:
                empty = 0
                while place + empty + 1 < len(cells) and not cells[place + empty + 1]:
                    empty += 1
                shown = self._fitting(self._drawn(text), sum(widths[place : place + empty + 1]) - 2)
                x = left + widths[place] - self._breadth(shown) if column.is_figures else left
                self._put(x, base, shown)
            left += widths[place]

    def _put(self, x: float, base: float, text: str) -> None:
        """Print one line from `x` on, each part of it in the family that has its letters."""
        if _characters(FAMILY).issuperset(text):
            self.text(x, base, text)
            return
        size, style = self.font_size_pt, self.font_style
        for family, letters in groupby(text, key=_family_of):
            part = "".join(letters)
            self.set_font(family, style if style in FAMILIES[family] else "", size)
            self.text(x, base, part)
            self.set_font(FAMILY, style, size)
            x += self._breadth(part)

    def _fitting(self, text: str, width: float) -> str:
        """Return the text, or as much of its beginning as fits."""
        if self._breadth(text) <= width:
            return text
        while text and self._breadth(f"{text}…") > width:
            text = text[:-1]
        return f"{text.rstrip()}…"

    def _breadth(self, text: str) -> float:
        """Return how broad a text is in the font that is set, in mm."""
        known = self.breadths[self.font_style]
        for one in text:
            if one not in known:
                known[one] = self.get_string_width(one) / self.font_size_pt
        return sum(known[one] for one in text) * self.font_size_pt

    def _drawn(self, text: str) -> str:
        """Return the text as it can be drawn; families that it needs join the document."""
        shown = drawn(text)
        if _characters(FAMILY).issuperset(shown) and UNKNOWN not in shown:
            return shown
        self.has_unknown |= shown.count(UNKNOWN) > text.count(UNKNOWN)
        for family in {_family_of(one) for one in shown} - {FAMILY}:
            self._add_family(family)
        return shown

    def _add_family(self, family: str) -> None:
        for style, file in FAMILIES[family].items():
            if f"{family.lower()}{style}" not in self.fonts:
                self.add_font(family, style, FONTS / file)
        joined = [one for one in FAMILIES if one != FAMILY and one.lower() in self.fonts]
        self.set_fallback_fonts(joined, exact_match=False)

    def _pen(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)

    def _rule(self, colour: tuple[int, int, int]) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.l_margin + self.epw, self.get_y())


def drawn(text: str) -> str:
    """Return the text with what no font can draw replaced; spaces that must not break are spaces."""
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    # Nearly every text is of the house's own letters, and a document has thousands of texts.
    if _characters(FAMILY).issuperset(plain):
        return plain
    return "".join(one if _family_of(one) else UNKNOWN for one in plain)


def _family_of(letter: str) -> str:
    """Return the first family that has the letter in all of its cuts; an empty text where none has."""
    return next((family for family in FAMILIES if letter in _characters(family)), "")


@cache
def _characters(family: str) -> frozenset[str]:
    cuts = []
    for file in FAMILIES[family].values():
        with TTFont(FONTS / file, lazy=True) as font:
            cuts.append(frozenset(map(chr, font.getBestCmap())))
    return frozenset.intersection(*cuts)
