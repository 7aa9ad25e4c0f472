"""Every guard is taken away in turn, and somebody has to notice: the auditor, or the database.

A guard whose absence nobody notices guards nothing, or the tests do not look there.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import DatabaseError

from catalog.publishing import Standing
from members import policies
from playback import charging, holdings, releases, reversals, sessions, topups, wallets
from tests.simulation import scenes
from tests.simulation import scenes_of_credit as credit
from tests.simulation import scenes_of_releases as albums
from tests.simulation.acts import Acts
from tests.simulation.audit import Objection
from tests.simulation.removal import CHARGING_SQL, MONTHS_SQL, RELEASES_SQL, changed, guard, sql_changed
from tests.simulation.scenes import Scene

GUARD = re.compile(r"^ *-- guard (.+)\n(?:.*\n)*?^ *-- end\n", re.MULTILINE)
NOTICED = (Objection, DatabaseError)

Play = Callable[[Scene], None]

SQL_SCENES: dict[str, Play] = {
    "frozen": scenes.frozen,
    "day limit": scenes.day_limit,
    "month limit": scenes.month_limit,
    "funds": scenes.funds,
    "charged once": scenes.charged_once,
    "suspended": scenes.suspended,
    "expired": scenes.expired,
    "owned": scenes.owned,
    "revision": scenes.revision,
    "price": scenes.price,
}
RELEASE_SCENES: dict[str, Play] = {
    "release price": albums.release_bought_for_less,
    "release refused": albums.release_beyond_the_limit,
}

# What the SQL does besides its guards: file, what is there, what stands there instead, the scene that needs it.
SQL_CHANGES: list[tuple[Path, str, str, Play]] = [
    (CHARGING_SQL, "from_promo := least(w.promo_micros, amount);", "from_promo := 0;", scenes.promo_first),
    (CHARGING_SQL, "kept.paid_plays | EXCLUDED.paid_plays", "EXCLUDED.paid_plays", credit.given_back_and_played_again),
    (CHARGING_SQL, "revision = kept.revision + 1", "revision = kept.revision", scenes.heard_twice),
    (CHARGING_SQL, "WHEN w.spent_day = today THEN w.spent_day_micros", "WHEN true THEN 0", scenes.day_limit),
    (
        CHARGING_SQL,
        "coalesce(coop_now() + make_interval(secs => view_seconds), playlist_until)",
        "playlist_until",
        albums.photo_charged_late,
    ),
    (
        RELEASES_SQL,
        "least(from_promo, spent) - least(from_promo, spent - amount)",
        "0",
        albums.release_paid_by_promo_first,
    ),
    (RELEASES_SQL, "paid_micros = coalesce(kept.cap_micros,", "paid_micros = least(0,", albums.release_bought),
    (RELEASES_SQL, "revision = kept.revision + 1", "revision = kept.revision", albums.release_bought),
    (MONTHS_SQL, "RETURN greatest(moment, opened, closed);", "RETURN moment;", scenes.closed_month),
    (MONTHS_SQL, "greatest(moment, opened, closed)", "greatest(moment, opened)", scenes.closed_month),
]

# The same in Python: the function, a part of its source, what stands there instead, the scene that needs it.
CHANGES: list[tuple[object, str, str, Play]] = [
    (charging.purchase, "if kept is not None:", "if False:", scenes.same_key),
    (charging.kept_answer, "if row.body_sha256 != body_sha256:", "if False:", scenes.other_body),
    (charging.purchase, "if held.owned_at is not None:", "if False:", scenes.bought_and_taken_off),
    (charging.purchase, "if standing.own:", "if False:", scenes.bought_by_its_maker),
    (
        charging.purchase,
        "if not (standing.may_play_on(now) if held.terms else standing.may_begin()):",
        "if False:",
        scenes.bought_after_it_was_taken_off,
    ),
    (charging.purchase, "elif asked.remaining_micros > price_micros:", "elif False:", scenes.bought_for_less),
    (
        charging.purchase,
        "if held.terms is not None and _bought(person_id, work_id):",
        "if False:",
        scenes.bought_after_a_play_was_given_back,
    ),
    (charging.purchase, "refused = refusal(answer)", "raise refusal(answer)", scenes.fallen_then_bought_in_vain),
    (holdings.keep_fallen_cap, "held.cap_micros == cap_micros", "True", scenes.fallen_then_risen),
    (
        holdings.keep_fallen_cap,
        "owned_at = now if cap_micros == held.paid_micros else None",
        "owned_at = None",
        scenes.fallen_below_what_is_paid,
    ),
    (holdings.quote, "terms = held.terms or now", "terms = now", scenes.voted),
    (holdings.cap_now, "min(held.cap_micros, now.price_micros)", "now.price_micros", scenes.fallen_then_risen),
    (
        holdings.cap_now,
        "if held.terms is not None and len(held.paid_plays) == held.terms.plays:",
        "if False:",
        credit.all_numbers_paid_and_the_purchase_given_back,
    ),
    (sessions._write_quote, "if basis in (PAID, OWNED):", "if False:", scenes.fallen_then_risen),
    (sessions.begin, "_still_heard(live, held, standing, now):", "False:", scenes.reloaded),
    (sessions._still_heard, "live.completed_at is not None", "False", scenes.heard_twice),
    (sessions._still_heard, "live.playlist_until <= now", "False", scenes.playlist_ended),
    (sessions._still_heard, "live.reversed_at is not None", "False", scenes.given_back_while_heard),
    (sessions.begin, "now < live.began_at + RESUMED_WITHIN", "True", scenes.begun_yesterday),
    (sessions._basis, "if standing.own:", "if False:", scenes.own_work),
    (sessions._basis, "if standing.own:", "if False:", scenes.shared_work),
    (sessions._basis, "if not allowed:", "if False:", scenes.begun_after_it_was_taken_off),
    (Standing.may_play_on, "now < self.off_at + PLAY_ON", "True", scenes.played_on_after_ninety_days),
    (sessions.requote, ", charge_id=None", "", scenes.requoted_after_its_charge),
    (sessions.requote, ", ended_at=None", "", scenes.requoted_after_its_end),
    (
        sessions.report_progress,
        "if basis != PAID and position_ms >= session.free_ms:",
        "if basis != PAID:",
        scenes.heard_free,
    ),
    (sessions.report_progress, "if basis != PAID and position_ms >= session.free_ms:", "if True:", scenes.heard_paid),
    (sessions.report_progress, "ignore_conflicts=True", "ignore_conflicts=False", scenes.heard_free),
    (sessions.report_progress, "if completed and heard_whole and", "if completed and", scenes.heard_paid),
    (
        sessions.report_progress,
        "basis = OWNED if held.owned_at is not None else PAID",
        "basis = PAID",
        scenes.heard_what_was_bought_meanwhile,
    ),
    (sessions.report_progress, "session.view_seconds is None and", "", albums.photo_looked_at_again),
    (sessions._still_heard, "standing.is_suspended and held.owned_at is None", "False", albums.suspended_while_heard),
    (sessions.view_url, "sitting.playlist_until <= now", "False", albums.photo_looked_at_again),
    (sessions.view_url, "if sitting.withdrawn:", "if False:", albums.photo_suspended),
    (sessions.view_url, "not sitting.whole", "False", albums.photo_given_back),
    (Standing.may_play_on, "now < self.off_at + PLAY_ON", "True", albums.photo_taken_off),
    (holdings.keep_free, '"owned_at": now', '"owned_at": None', albums.free_kept_then_priced),
    (holdings.keep_many_free, "owned_at=now", "owned_at=None", albums.release_with_a_free_work),
    (holdings.keep_fallen_caps, "one.cap_micros != cap", "False", albums.release_fallen_then_bought_in_vain),
    (releases._part, "if held.owned_at is not None:", "if False:", albums.release_with_one_owned_and_suspended),
    (releases._part, "if standing.own:", "if False:", albums.release_with_one_of_ones_own),
    (
        releases._part,
        "if not (standing.may_play_on(now) if held.terms else standing.may_begin()):",
        "if False:",
        albums.release_with_one_taken_off,
    ),
    (
        releases._part,
        "Part.BY_PLAYS if bought_before else Part.BOUGHT",
        "Part.BOUGHT",
        albums.release_with_one_bought_before,
    ),
    (releases.purchase, "if kept is not None:", "if False:", albums.release_bought_under_one_key),
    (releases._another_list, "made.list_hash == list_hash", "True", albums.release_of_another_list),
    (reversals.reverse, "if not reason.strip():", "if False:", credit.given_back_without_a_word),
    (
        reversals.check_may_give,
        "if not admission.has_role(person_id=staff_id, roles=MAY_GIVE):",
        "if False:",
        credit.given_back_by_nobody,
    ),
    (reversals.check_may_give, "if staff_id == listener_id:", "if False:", credit.given_back_to_oneself),
    (
        reversals.reverse,
        "if publishing.manages(creator_id=charge.work.creator_id, person_id=staff_id):",
        "if False:",
        credit.given_back_for_ones_own_work,
    ),
    (reversals.reverse, "if charge.reversal_id is not None:", "if False:", credit.given_back_twice),
    (reversals.reverse, "if charge.amount_micros > ALONE_MOST_MICROS:", "if False:", credit.much_given_back),
    (reversals.reverse, "if ask.staff_id == staff_id:", "if False:", credit.much_given_back),
    (
        reversals._lower_holding,
        "row.paid_plays &= ~(1 << (charge.play_number - 1))",
        "pass",
        credit.given_back_and_played_again,
    ),
    (reversals._lower_holding, "if row.paid_micros == 0:", "if False:", credit.all_given_back_at_another_price),
    (reversals._lower_holding, "row.owned_at = None", "pass", credit.bought_and_given_back),
    (reversals._lower_holding, "row.revision += 1", "pass", credit.given_back_and_played_again),
    (reversals._give_back, "wallet.promo_micros += charge.promo_micros", "pass", credit.granted_played_and_given_back),
    (
        reversals._give_back,
        "if wallet.spent_day == clock.day(charge.charged_at) == clock.day(moment):",
        "if False:",
        credit.given_back_within_the_limit,
    ),
    (
        reversals._give_back,
        "if wallet.spent_day == clock.day(charge.charged_at) == clock.day(moment):",
        "if True:",
        credit.given_back_the_day_after,
    ),
    (
        reversals._give_back,
        "if wallet.spent_month == clock.month(charge.charged_at) == clock.month(moment):",
        "if False:",
        credit.given_back_within_the_limit,
    ),
    (reversals.grant, "if kept is not None:", "if False:", credit.granted_twice),
    (reversals.grant, ", left_micros__gte=amount_micros", "", credit.granted_beyond_the_budget),
    (reversals.check_may_give, "if staff_id == listener_id:", "if False:", credit.granted_to_oneself),
    (topups.take_in, 'if GatewayEvent.objects.filter(id=event["id"]).exists():', "if False:", credit.webhook_twice),
    (topups.take_in, " and top_up.state != TopUp.State.SETTLED", "", credit.paid_twice),
    (topups.take_in, " and top_up.state == TopUp.State.STARTED", "", credit.canceled_then_paid),
    (topups.take_in, ' and checkout["currency"] == settings.CURRENCY', "", credit.paid_otherwise),
    (topups.take_in, ' and checkout["amount_cents"] > 0', "", credit.paid_otherwise),
    (topups.start, "if kept is not None:", "if False:", credit.asked_for_credit_twice),
    (topups.start, "if wallet.frozen_at is not None:", "if False:", credit.asked_for_credit_while_frozen),
    (wallets._Limit.asked, "if not raises:", "if True:", credit.limit_raised),
    (
        wallets._Limit.asked,
        "waits=None, waits_until=None",
        "waits=self.waits, waits_until=self.waits_until",
        credit.raise_dropped,
    ),
    (policies.add_version, "if effective_from < now + NOTICE_LEAST:", "if False:", credit.voted_for_now),
    (policies.add_version, "if latest is not None and effective_from <= latest:", "if False:", credit.voted_between),
]


@pytest.fixture
def play(committed, settings, monkeypatch):
    """Give a function that plays a scene to its end, with a last audit."""

    def through(scene: Play) -> None:
        stage = Acts(begins=datetime(2026, 5, 5, 10, 0, tzinfo=UTC), vat_ppm=0)
        settings.VAT_PPM = 0
        monkeypatch.setattr(topups, "gateway", lambda: stage.gateway)
        scene(Scene(stage))
        stage.audit()

    return through


def test_every_guard_of_the_charge_functions_has_its_scene():
    assert sorted(GUARD.findall(CHARGING_SQL.read_text())) == sorted(SQL_SCENES)
    assert sorted(GUARD.findall(RELEASES_SQL.read_text())) == sorted(RELEASE_SCENES)


OF_CHANGES = [change[3] for change in (*SQL_CHANGES, *CHANGES)]
ALL_SCENES = sorted({*SQL_SCENES.values(), *RELEASE_SCENES.values(), *OF_CHANGES}, key=lambda scene: scene.__name__)


@pytest.mark.parametrize("scene", ALL_SCENES, ids=lambda scene: scene.__name__)
def test_with_all_its_guards_a_scene_is_as_the_auditor_predicts(play, scene):
    play(scene)


@pytest.mark.parametrize("name", SQL_SCENES)
def test_a_guard_of_the_charge_functions_is_missed(play, name):
    with sql_changed(CHARGING_SQL, guard(name), ""), pytest.raises(NOTICED):
        play(SQL_SCENES[name])


@pytest.mark.parametrize("name", RELEASE_SCENES)
def test_a_guard_of_a_releases_purchase_is_missed(play, name):
    with sql_changed(RELEASES_SQL, guard(name), ""), pytest.raises(NOTICED):
        play(RELEASE_SCENES[name])


@pytest.mark.parametrize(("file", "old", "new", "scene"), SQL_CHANGES, ids=lambda part: getattr(part, "__name__", ""))
def test_a_rule_in_sql_is_missed(play, file, old, new, scene):
    with sql_changed(file, old, new), pytest.raises(NOTICED):
        play(scene)


@pytest.mark.parametrize(("function", "old", "new", "scene"), CHANGES, ids=lambda part: getattr(part, "__name__", ""))
def test_a_rule_in_python_is_missed(play, function, old, new, scene):
    with changed(function, old, new), pytest.raises(NOTICED):
        play(scene)
