"""Rows of `playback`: wallets, holdings, sessions, charges and what gives them back, top-ups, promo.

The hot tables' keys begin with `listener_id`. Rules that one row can state are constraints here; rules over several
rows and the refusals of change are triggers in `playback/sql/`. A CHECK passes where it cannot tell, so a column that
may be null is compared only after it was asked not to be.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from playback import (  # noqa: F401  (Django finds rows where models are)
    audience_models,
    cashout_models,
    chargeback_models,
    dues_models,
    following_models,
    library_models,
)


class Wallet(models.Model):
    """What a listener can spend, and the limits they set. Locked first by whatever moves their money."""

    listener = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="wallet")
    balance_micros = models.BigIntegerField(default=0)
    promo_micros = models.BigIntegerField(default=0)
    frozen_at = models.DateTimeField(null=True)
    day_limit_micros = models.BigIntegerField(null=True)
    month_limit_micros = models.BigIntegerField(null=True)
    # A raise that waits: from `..._at` on, the limit is `next_...` (null: none).
    next_day_limit_micros = models.BigIntegerField(null=True)
    next_day_limit_at = models.DateTimeField(null=True)
    next_month_limit_micros = models.BigIntegerField(null=True)
    next_month_limit_at = models.DateTimeField(null=True)
    spent_day = models.DateField(null=True)
    spent_day_micros = models.BigIntegerField(default=0)
    spent_month = models.DateField(null=True)
    spent_month_micros = models.BigIntegerField(default=0)
    consented_at = models.DateTimeField(null=True)
    consent_version = models.PositiveSmallIntegerField(null=True)
    goes_on = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(balance_micros__gte=0), name="wallet_balance_is_never_negative"),
            models.CheckConstraint(condition=Q(promo_micros__gte=0), name="wallet_promo_is_never_negative"),
            models.CheckConstraint(
                condition=Q(spent_day_micros__gte=0, spent_month_micros__gte=0), name="wallet_spent_is_never_negative"
            ),
            models.CheckConstraint(
                condition=(Q(day_limit_micros=None) | Q(day_limit_micros__gte=0))
                & (Q(month_limit_micros=None) | Q(month_limit_micros__gte=0)),
                name="wallet_limit_is_never_negative",
            ),
        ]


class Holding(models.Model):
    """What one listener has in one work: its terms, how far they are, since when it is theirs."""

    pk = models.CompositePrimaryKey("listener_id", "work_id")
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="holdings", db_index=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="holdings")
    # The terms: null until the first live charge, and again when the last one is given back.
    price_micros = models.BigIntegerField(null=True)
    plays = models.PositiveSmallIntegerField(null=True)
    growth_num = models.PositiveIntegerField(null=True)
    growth_den = models.PositiveIntegerField(null=True)
    pricing_version = models.PositiveIntegerField(null=True)
    cap_micros = models.BigIntegerField(null=True)
    paid_micros = models.BigIntegerField(default=0)
    # Bit n-1 is set while play n has a live charge: the next number is the lowest bit that is not.
    paid_plays = models.BigIntegerField(default=0)
    owned_at = models.DateTimeField(null=True)
    revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(cap_micros=None, paid_micros=0)
                | Q(
                    cap_micros__isnull=False,
                    cap_micros__gte=0,
                    paid_micros__gte=0,
                    paid_micros__lte=F("cap_micros"),
                ),
                name="holding_paid_is_at_most_its_cap",
            ),
            models.CheckConstraint(
                condition=Q(owned_at=None) | Q(cap_micros__isnull=False, paid_micros=F("cap_micros")),
                name="holding_owned_is_paid_in_full",
            ),
            models.CheckConstraint(
                condition=Q(owned_at__isnull=False) | Q(cap_micros=None) | Q(paid_micros__lt=F("cap_micros")),
                name="holding_paid_in_full_is_owned",
            ),
            models.CheckConstraint(
                condition=Q(price_micros=None, plays=None, growth_num=None, growth_den=None, pricing_version=None)
                | Q(
                    price_micros__isnull=False,
                    plays__isnull=False,
                    growth_num__isnull=False,
                    growth_den__isnull=False,
                    pricing_version__isnull=False,
                    cap_micros__isnull=False,
                ),
                name="holding_terms_are_whole",
            ),
        ]


class Session(models.Model):
    """One sitting with a work. It carries the quote: what a charge will cost, until when, under which versions."""

    class Basis(models.TextChoices):
        PAID = "paid"
        OWNED = "owned"
        OWN = "own"
        FREE = "free"

    class Source(models.TextChoices):
        WORK = "work"
        RELEASE = "release"
        CREATOR = "creator"
        SEARCH = "search"
        FRONT = "front"
        FEED = "feed"
        LIBRARY = "library"
        QUEUE = "queue"
        EMBED = "embed"
        API = "api"

    pk = models.CompositePrimaryKey("listener_id", "id")
    listener = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="listening_sessions", db_index=False
    )
    id = models.UUIDField(default=uuid.uuid4, editable=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="listening_sessions")
    basis = models.CharField(max_length=5, choices=Basis)
    # From where one came to the work, as the page said.
    source = models.CharField(max_length=8, choices=Source, default=Source.API, db_default=Source.API)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # The quote.
    quoted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    play_number = models.PositiveSmallIntegerField(null=True)
    price_micros = models.BigIntegerField(default=0)
    cap_micros = models.BigIntegerField(default=0)
    holding_revision = models.BigIntegerField(default=0)
    terms_price_micros = models.BigIntegerField(null=True)
    terms_plays = models.PositiveSmallIntegerField(null=True)
    terms_growth_num = models.PositiveIntegerField(null=True)
    terms_growth_den = models.PositiveIntegerField(null=True)
    pricing_version = models.PositiveIntegerField()
    opening_version = models.PositiveIntegerField()
    # The gate, in thousandths of a second of the work.
    free_ms = models.PositiveIntegerField(default=0)
    open_ms = models.PositiveIntegerField(default=0)
    # What happened.
    charge_id = models.UUIDField(null=True)
    reversed_at = models.DateTimeField(null=True)
    # Until when what was opened is open. A photo's charge opens it for `view_seconds`; null for a track.
    playlist_until = models.DateTimeField()
    view_seconds = models.PositiveSmallIntegerField(null=True)
    position_ms = models.PositiveIntegerField(default=0)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["listener", "work"], condition=Q(ended_at=None), name="session_one_live_per_work"
            ),
            models.CheckConstraint(condition=Q(price_micros__gte=0), name="session_price_is_never_negative"),
        ]
        indexes = [BrinIndex(fields=["began_at"], name="session_by_time", pages_per_range=32)]


class Charge(models.Model):
    """Money moved for a play or a purchase, and the answer given. Never changed but for `reversal_id`, once."""

    class Kind(models.TextChoices):
        PLAY = "play"
        PURCHASE = "purchase"

    pk = models.CompositePrimaryKey("listener_id", "id")
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="charges", db_index=False)
    id = models.UUIDField(default=uuid.uuid4, editable=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="charges", db_index=False)
    session_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=8, choices=Kind)
    play_number = models.PositiveSmallIntegerField(null=True)
    amount_micros = models.BigIntegerField()
    promo_micros = models.BigIntegerField()
    charged_at = models.DateTimeField()
    pricing_version = models.PositiveIntegerField()
    # What stood afterwards: the recorded answer, and "credit after" in the wallet's history.
    paid_after_micros = models.BigIntegerField()
    cap_after_micros = models.BigIntegerField()
    balance_after_micros = models.BigIntegerField()
    promo_after_micros = models.BigIntegerField()
    reversal_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="charge_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(promo_micros__gte=0, promo_micros__lte=F("amount_micros")),
                name="charge_promo_is_part_of_it",
            ),
            models.CheckConstraint(
                condition=Q(kind="play", play_number__isnull=False, play_number__gte=1, session_id__isnull=False)
                | Q(kind="purchase", play_number=None),
                name="charge_of_a_play_has_its_number",
            ),
            models.UniqueConstraint(
                fields=["listener", "work", "play_number"],
                condition=Q(reversal_id=None, kind="play"),
                name="charge_one_live_per_play_number",
            ),
            models.UniqueConstraint(
                fields=["listener", "work"],
                condition=Q(reversal_id=None, kind="purchase"),
                name="charge_one_live_purchase",
            ),
        ]
        indexes = [BrinIndex(fields=["charged_at"], name="charge_by_time", pages_per_range=32)]


class Reversal(models.Model):
    """A charge given back by staff, with a reason, as it was paid. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reversals")
    charge_id = models.UUIDField(unique=True)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    second = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    amount_micros = models.BigIntegerField()
    promo_micros = models.BigIntegerField()
    reversed_at = models.DateTimeField()
    balance_after_micros = models.BigIntegerField()
    promo_after_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="reversal_amount_is_positive"),
            models.CheckConstraint(condition=~Q(staff=F("listener")), name="reversal_is_never_for_oneself"),
        ]


class ReversalAsk(models.Model):
    """A reversal above the limit of one person, waiting for a second one."""

    charge_id = models.UUIDField(primary_key=True)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    asked_at = models.DateTimeField()


class FreePlay(models.Model):
    """A play of an owned, own or free work, heard past its opening. It has no number and moved no money."""

    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="free_plays", db_index=False)
    session_id = models.UUIDField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="free_plays")
    basis = models.CharField(max_length=5, choices=Session.Basis)
    played_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listener", "session_id"], name="free_play_once_per_session")]


class TopUp(models.Model):
    """Credit bought: what was asked, what the gateway says was paid, and how it splits into net and VAT."""

    class State(models.TextChoices):
        STARTED = "started"
        SETTLED = "settled"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="top_ups")
    state = models.CharField(max_length=8, choices=State, default=State.STARTED)
    asked_cents = models.BigIntegerField()
    country = models.CharField(max_length=2)
    country_evidence = models.JSONField(default=list)
    regime = models.CharField(max_length=4, choices=[("none", "none"), ("spv", "spv")], default="spv")
    vat_ppm = models.PositiveIntegerField()
    checkout_id = models.CharField(max_length=80, blank=True)
    checkout_url = models.URLField(blank=True)
    created_at = models.DateTimeField()
    # From the gateway, never from the browser.
    gross_cents = models.BigIntegerField(null=True)
    net_cents = models.BigIntegerField(null=True)
    vat_cents = models.BigIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)
    balance_after_micros = models.BigIntegerField(null=True)
    promo_after_micros = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(asked_cents__gt=0), name="top_up_asks_for_something"),
            models.CheckConstraint(
                condition=~Q(state="settled")
                | Q(
                    gross_cents__isnull=False,
                    net_cents__isnull=False,
                    vat_cents__isnull=False,
                    gross_cents__gt=0,
                    net_cents__gte=0,
                    vat_cents__gte=0,
                    settled_at__isnull=False,
                    gross_cents=F("net_cents") + F("vat_cents"),
                ),
                name="top_up_settled_adds_up",
            ),
            models.UniqueConstraint(
                fields=["checkout_id"], condition=~Q(checkout_id=""), name="top_up_one_per_checkout"
            ),
        ]
        indexes = [models.Index(fields=["listener", "-created_at"], name="top_up_by_listener")]


class GatewayEvent(models.Model):
    """A webhook that was taken in. Its id is unique: the second delivery finds it and does nothing."""

    id = models.CharField(primary_key=True, max_length=80)
    type = models.CharField(max_length=40)
    top_up = models.ForeignKey(TopUp, models.PROTECT, null=True, related_name="events")
    refund = models.ForeignKey("playback.Refund", models.PROTECT, null=True, related_name="events")
    content = models.JSONField()
    received_at = models.DateTimeField()


class PromoBudget(models.Model):
    """What the co-op may still give away. One row; it cannot go below zero."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    left_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="promo_budget_is_one_row"),
            models.CheckConstraint(condition=Q(left_micros__gte=0), name="promo_budget_is_never_negative"),
        ]


class PromoFunding(models.Model):
    """What the co-op put into the promo budget, or took out of it (below zero). Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    amount_micros = models.BigIntegerField()
    reason = models.TextField(blank=True)
    funded_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount_micros=0), name="promo_funding_changes_something")]


class PromoGrant(models.Model):
    """Promo credit given to a listener by staff, from the budget."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="promo_grants")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    amount_micros = models.BigIntegerField()
    granted_at = models.DateTimeField()
    balance_after_micros = models.BigIntegerField()
    promo_after_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="promo_grant_is_positive"),
            models.CheckConstraint(condition=~Q(staff=F("listener")), name="promo_grant_is_never_for_oneself"),
        ]


class KeptAnswer(models.Model):
    """The answer of a request that moved money, kept for ever under the listener's Idempotency-Key."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    route = models.CharField(max_length=32)
    key = models.CharField(max_length=128)
    body_sha256 = models.CharField(max_length=64)
    answer = models.JSONField()
    kept_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "route", "key"], name="kept_answer_key_is_unique")]
