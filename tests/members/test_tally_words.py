"""What a result says to people: above all, to a member who lost, which condition did not hold and by how much."""

from fractions import Fraction

import pytest

from members.voting import tally_words
from members.voting.tally import Kind
from tests.members.test_tally import EXAMPLE, of, said


def test_a_vote_that_passed_lacked_nothing():
    assert tally_words.lacked(of()) == []
    assert tally_words.needed(of()) == "more than half"


def test_too_few_weighted_yeses_are_told_in_per_cent_and_words():
    assert tally_words.lacked(of(Kind.SPECIAL)) == [
        "The classes by their weight said yes with 61.53\N{NO-BREAK SPACE}%; at least two thirds was needed."
    ]
    assert tally_words.needed(of(Kind.CONSTITUTIONAL)) == "at least three quarters"


def test_each_condition_that_did_not_hold_is_told():
    few = of(creator=said(3, 0), listener=said(0, 97), worker=said(0))
    assert tally_words.lacked(few)[-1] == (
        "Of all who said yes or no, each counted once, 3.00\N{NO-BREAK SPACE}% of them said yes; at least a third was"
        " needed."
    )
    against = of(Kind.SPECIAL, creator=said(9, 1), listener=said(9, 1), worker=said(0, 4))
    assert "The workers objected: more of them said no than yes, and no class may object." in tally_words.lacked(
        against
    )
    both = of(Kind.CONSTITUTIONAL, creator=said(9, 1), listener=said(1, 9), worker=said(0, 4))
    assert "The listeners and workers did not consent, and every class has to." in tally_words.lacked(both)


def test_where_too_few_came_nothing_else_is_told():
    assert tally_words.lacked(of(creator=said(0, 2, members=20), listener=said(0, members=1))) == [
        "2 voted; 5 were needed for anything to be decided."
    ]


def test_nobody_said_yes_or_no():
    silent = of(creator=said(0, abstained=6), listener=said(0), worker=said(0))
    assert "Of all who said yes or no, each counted once, nobody said yes; at least a third was needed." in (
        tally_words.lacked(silent)
    )


def test_heads_alone_need_no_weighted_yes():
    assert tally_words.needed(of(Kind.STATUTORY)) == ""


@pytest.mark.parametrize("kind", list(Kind))
def test_the_bars_of_a_class_fill_it(kind):
    for row in tally_words.rows(of(kind, **EXAMPLE)):
        assert Fraction(row.yes) + Fraction(row.no) == 100
        assert abs(Fraction(row.yes) / 100 - row.tally.support) <= Fraction(1, 20_000)
    assert [row.weight for row in tally_words.rows(of())] == [f"{n}\N{NO-BREAK SPACE}%" for n in (45, 35, 20)]
