"""What the database itself refuses, whoever asks and however good their reason."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from infra import grants
from members.models import PolicyVersion
from playback.models import Charge, Holding, KeptAnswer, PromoBudget, Reversal, TopUp, Wallet
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def charge() -> Charge:
    """Lena has paid the first play of a track and has 1.00 left to spend."""
    lena, ana = cast.person("lena"), cast.person("ana")
    cast.top_up(lena, 100)
    cast.play(lena, cast.track(cast.creator(ana)))
    return cast.last_charge(lena)


def refuses(do: Callable[[], object], *, by: str, error: type[DatabaseError] = IntegrityError) -> None:
    """Check that the database refuses, naming the constraint or trigger."""
    with pytest.raises(error, match=by), transaction.atomic():
        do()


@pytest.mark.parametrize(
    ("column", "constraint"),
    [
        ("balance_micros", "wallet_balance_is_never_negative"),
        ("promo_micros", "wallet_promo_is_never_negative"),
        ("spent_day_micros", "wallet_spent_is_never_negative"),
        ("day_limit_micros", "wallet_limit_is_never_negative"),
    ],
)
def test_a_pocket_is_never_negative(charge: Charge, column: str, constraint: str) -> None:
    refuses(lambda: Wallet.objects.filter(listener=charge.listener_id).update(**{column: -1}), by=constraint)


@pytest.mark.parametrize(
    "change",
    [{"amount_micros": 1}, {"play_number": 2}, {"charged_at": "2020-01-01T00:00Z"}, {"balance_after_micros": 0}],
    ids=lambda change: next(iter(change)),
)
def test_a_charge_is_never_changed(charge: Charge, change: dict[str, object]) -> None:
    refuses(lambda: Charge.objects.filter(id=charge.id).update(**change), by="never changed")


def test_a_charge_is_given_back_once_and_nothing_else_changes_with_it(charge: Charge) -> None:
    row = Charge.objects.filter(id=charge.id)
    refuses(lambda: row.update(reversal_id=uuid4(), amount_micros=1), by="never changed")
    row.update(reversal_id=uuid4())
    refuses(lambda: row.update(reversal_id=uuid4()), by="never changed")
    refuses(lambda: row.update(reversal_id=None), by="never changed")


def test_a_charge_is_never_deleted_nor_all_of_them(charge: Charge) -> None:
    refuses(lambda: Charge.objects.filter(id=charge.id).delete(), by="append-only")

    def empty() -> None:
        with connection.cursor() as cursor:
            # A table with checks still to do cannot be emptied in any case; the refusal must not rest on that.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("TRUNCATE playback_charge")

    refuses(empty, by="append-only")
    assert Charge.objects.filter(id=charge.id).exists()


def copied(charge: Charge, **but: object) -> Callable[[], object]:
    """Return what writes a second charge like this one, but for some columns."""
    row = {field.attname: getattr(charge, field.attname) for field in Charge._meta.concrete_fields}
    return lambda: Charge.objects.create(**{**row, "id": uuid4(), **but})


def test_two_live_charges_of_one_play_number_cannot_be(charge: Charge) -> None:
    refuses(copied(charge), by="charge_one_live_per_play_number")


def test_two_live_purchases_of_one_work_cannot_be(charge: Charge) -> None:
    purchase = {"kind": "purchase", "play_number": None, "session_id": None}
    copied(charge, **purchase)()
    refuses(copied(charge, **purchase), by="charge_one_live_purchase")


@pytest.mark.parametrize(
    ("but", "constraint"),
    [
        ({"amount_micros": 0, "promo_micros": 0}, "charge_amount_is_positive"),
        ({"promo_micros": 2_001}, "charge_promo_is_part_of_it"),
        ({"promo_micros": -1}, "charge_promo_is_part_of_it"),
        ({"play_number": None}, "charge_of_a_play_has_its_number"),
        ({"session_id": None}, "charge_of_a_play_has_its_number"),
        ({"kind": "purchase"}, "charge_of_a_play_has_its_number"),
    ],
)
def test_a_charge_that_makes_no_sense_cannot_be(charge: Charge, but: dict[str, object], constraint: str) -> None:
    refuses(copied(charge, **{"play_number": 2, **but}), by=constraint)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"paid_micros": 1_022_001}, "holding_paid_(is_at_most_its_cap|in_full_is_owned)"),
        (
            {"price_micros": None, "plays": None, "growth_num": None, "growth_den": None, "pricing_version": None}
            | {"cap_micros": None},
            "holding_paid_is_at_most_its_cap",
        ),
        ({"paid_micros": -1}, "holding_paid_is_at_most_its_cap"),
        ({"cap_micros": 1_999}, "holding_paid_(is_at_most_its_cap|in_full_is_owned)"),
        ({"owned_at": "2026-11-22T00:00Z"}, "holding_owned_is_paid_in_full"),
        ({"paid_micros": 1_022_000}, "holding_paid_in_full_is_owned"),
        ({"price_micros": None}, "holding_terms_are_whole"),
        ({"pricing_version": None}, "holding_terms_are_whole"),
    ],
    ids=str,
)
def test_a_holding_says_what_was_paid(charge: Charge, change: dict[str, object], constraint: str) -> None:
    holding = Holding.objects.filter(listener=charge.listener_id, work=charge.work_id)
    refuses(lambda: holding.update(**change), by=constraint)


def test_nobody_gives_a_charge_back_to_themselves_nor_twice(charge: Charge) -> None:
    tess = cast.treasurer()
    row = {
        "listener_id": charge.listener_id,
        "charge_id": charge.id,
        "staff_id": tess.id,
        "reason": "The sound broke off.",
        "amount_micros": 2_000,
        "promo_micros": 0,
        "reversed_at": charge.charged_at,
        "balance_after_micros": 0,
        "promo_after_micros": 0,
    }
    refuses(
        lambda: Reversal.objects.create(**{**row, "staff_id": charge.listener_id}), by="reversal_is_never_for_oneself"
    )
    made = Reversal.objects.create(**row)
    refuses(lambda: Reversal.objects.create(**row), by="charge_id")
    refuses(lambda: Reversal.objects.filter(id=made.id).update(reason="Another."), by="append-only")
    refuses(lambda: Reversal.objects.filter(id=made.id).delete(), by="append-only")


def test_a_settled_top_up_is_final(charge: Charge) -> None:
    settled = TopUp.objects.filter(listener=charge.listener_id, state="settled")
    refuses(lambda: settled.update(gross_cents=200, net_cents=200), by="settled top-up is never changed")


@pytest.mark.parametrize("missing", ["gross_cents", "net_cents", "vat_cents", "settled_at"])
def test_a_top_up_settles_whole(charge: Charge, missing: str) -> None:
    whole = {"gross_cents": 100, "net_cents": 84, "vat_cents": 16, "settled_at": charge.charged_at, "state": "settled"}
    asked = TopUp.objects.create(
        listener_id=charge.listener_id, asked_cents=100, country="DE", vat_ppm=190_000, created_at=charge.charged_at
    )
    row = TopUp.objects.filter(id=asked.id)
    refuses(lambda: row.update(**{**whole, missing: None}), by="top_up_settled_adds_up")
    refuses(lambda: row.update(**{**whole, "vat_cents": 15}), by="top_up_settled_adds_up")
    row.update(**whole)


def test_the_promo_budget_is_never_overdrawn() -> None:
    refuses(lambda: PromoBudget.objects.update(left_micros=-1), by="promo_budget_is_never_negative")


def test_a_policy_version_is_never_changed_nor_deleted() -> None:
    pricing = PolicyVersion.objects.filter(key="pricing", seq=1)
    refuses(lambda: pricing.update(params={}), by="append-only")
    refuses(pricing.delete, by="append-only")


def test_a_kept_answer_stays(charge: Charge) -> None:
    KeptAnswer.objects.create(
        person_id=charge.listener_id, route="purchase", key="k", body_sha256="0" * 64, answer={"charged_micros": 1}
    )
    refuses(lambda: KeptAnswer.objects.update(answer={}), by="append-only")
    refuses(lambda: KeptAnswer.objects.all().delete(), by="append-only")


@pytest.fixture
def as_web_role() -> Iterator[None]:
    """Speak to the database as the role that serves pages, with the rights that a migration gives it."""
    role = connection.ops.quote_name(settings.DB_WEB_ROLE)
    grants.grant(settings.DB_WEB_ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        yield
        cursor.execute("RESET ROLE")


@pytest.mark.usefixtures("as_web_role")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM playback_charge",
        "DELETE FROM playback_reversal",
        "DELETE FROM playback_wallet",
        "DELETE FROM playback_holding",
        "DELETE FROM members_policyversion",
        "TRUNCATE playback_charge",
        "DROP TABLE playback_charge CASCADE",
        "DROP TRIGGER charge_is_never_changed ON playback_charge",
        "ALTER TABLE playback_charge DISABLE TRIGGER charge_is_never_changed",
        "ALTER TABLE playback_wallet DROP CONSTRAINT wallet_balance_is_never_negative",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE OR REPLACE FUNCTION coop_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
        "UPDATE members_coop SET clock_offset = interval '1 day'",
        "SET session_replication_role = replica",
    ],
)
def test_the_web_role_may_not(statement: str) -> None:
    refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("as_web_role")
def test_the_web_role_charges() -> None:
    lena, ana = cast.person("lena"), cast.person("ana")
    cast.top_up(lena, 100)
    assert cast.play(lena, cast.track(cast.creator(ana))).charged_micros == 2_000


@pytest.mark.usefixtures("as_web_role")
def test_the_web_role_owns_no_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) = %s",
            [settings.DB_WEB_ROLE],
        )
        assert cursor.fetchone() == (0,)


def test_every_guard_of_charging_is_closed() -> None:
    """Each `-- guard NAME` has its `-- end`, so that tests/simulation removes whole guards."""
    text = (Path(settings.BASE_DIR) / "playback" / "sql" / "charging.sql").read_text()
    marks = re.findall(r"^\s*-- (guard [a-z ]+|end)$", text, re.MULTILINE)
    assert [mark.split()[0] for mark in marks] == ["guard", "end"] * (len(marks) // 2)
    assert len(marks) == 2 * 10
