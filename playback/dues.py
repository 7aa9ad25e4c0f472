"""Dues from the wallet: bought credit alone pays them, for promo credit is a gift to listen with.

Limits are for listening and are not asked: dues are paid by a button that says the sum, once a year.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from members import clock
from playback import wallets
from playback.dues_models import DuesTaken
from playback.models import GatewayEvent


class WalletDues:
    """What `members` asks of whoever keeps wallets (`members.belonging.dues.Payer`)."""

    def pay(self, *, person_id: UUID, amount_micros: int, reference: UUID) -> datetime:
        """Take dues out of bought credit, once per reference, and return when.

        Raises WalletFrozen, InsufficientFunds.
        """
        with transaction.atomic():
            wallet = wallets.lock(person_id)
            if taken := DuesTaken.objects.filter(id=reference, listener_id=person_id).first():
                return taken.taken_at
            if wallet.frozen_at is not None:
                raise wallets.frozen()
            if wallet.balance_micros < amount_micros:
                raise wallets.insufficient_funds(needed=amount_micros, available=wallet.balance_micros)
            wallet.balance_micros -= amount_micros
            wallet.save(update_fields=["balance_micros"])
            moment = clock.money_moment()
            DuesTaken.objects.create(
                id=reference,
                listener_id=person_id,
                amount_micros=amount_micros,
                taken_at=moment,
                balance_after_micros=wallet.balance_micros,
                promo_after_micros=wallet.promo_micros,
            )
            return moment

    def instruments(self, person_id: UUID) -> frozenset[str]:
        """Return what the gateway calls the cards and accounts that the wallet was filled with. One query."""
        said = GatewayEvent.objects.filter(
            top_up__listener_id=person_id, content__checkout__instrument__isnull=False
        ).values_list("content__checkout__instrument", flat=True)
        return frozenset(str(one) for one in said)
