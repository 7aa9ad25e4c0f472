"""Paper: names in the letters their people write them in, and honest words where no font has them."""

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from royalties.paper import FAMILIES, FONTS, NOT_DRAWN, Column, Paper, Row, drawn

NAMES = {
    "Familjen": "Zoë Ångström",
    "DejaVu": "Ὀδυσσεύς Ёлка Ґанок Հայաստան საქართველო",
    "Droid": "北京的春天 さくら カラオケ 서울의 밤",
}
PLACES = ("title", "heading", "paragraph", "fact", "note", "foot", "cell")


def written(name: str) -> tuple[str, set[str]]:
    """Write a document with the name in every place; return its text and the fonts in it."""
    made_at = datetime(2026, 11, 1, tzinfo=UTC)
    paper = Paper(title=name, author="Refrain", made_at=made_at, foot=f"{name} (foot)")
    paper.title_line(f"{name} (title)")
    paper.heading(f"{name} (heading)")
    paper.words(f"{name} (paragraph)")
    paper.facts([("Payee", f"{name} (fact)")])
    columns = [Column(head="Work", share=0.8, is_figures=False), Column(head="Yours", share=0.2)]
    paper.rows(columns, [Row(cells=[f"{name} (cell)", "0.12"], note=f"{name} (note)", is_sum=True)])
    page = PdfReader(io.BytesIO(paper.content())).pages[0]
    fonts = {font.get_object()["/BaseFont"].partition("+")[2] for font in page["/Resources"]["/Font"].values()}
    return " ".join(page.extract_text().split()), fonts


@pytest.mark.parametrize(("family", "name"), NAMES.items(), ids=NAMES)
def test_a_name_is_printed_in_its_own_letters_wherever_it_stands(family: str, name: str) -> None:
    text, fonts = written(name)
    for place in PLACES:
        assert f"{name} ({place})" in text, place
    assert NOT_DRAWN not in text
    # What a document does not need is not in it.
    assert any(family.lower() in font.lower() for font in fonts), fonts
    others = {"DejaVu", "Droid"} - {family}
    assert not [font for font in fonts if any(other.lower() in font.lower() for other in others)]


def test_letters_that_no_font_has_are_told() -> None:
    text, _ = written("שלום 🎵")
    assert "???? ? (title)" in text
    assert text.count(NOT_DRAWN) == 1
    # A question mark of somebody's own is no missing letter.
    assert NOT_DRAWN not in written("Who?")[0]


def test_every_family_brings_its_licence() -> None:
    assert drawn("a\N{NO-BREAK SPACE}b") == "a b"
    assert {path.name for path in FONTS.glob("*.ttf")} == {file for cuts in FAMILIES.values() for file in cuts.values()}
    assert len(list(FONTS.glob("*.txt"))) == len(FAMILIES)
