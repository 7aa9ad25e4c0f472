"""What royalties read of playback: rows that moved money, plays, wallets; and the promo budget's own rows."""

import uuid
from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"

# What is in the budget and in the wallets was put in before anybody wrote that down; refunds made know their moment.
BEFORE = """
INSERT INTO playback_promofunding (id, amount_micros, reason, funded_at)
SELECT gen_random_uuid(), micros, 'What had been put in before it was written down.', coop_money_moment()
  FROM (SELECT (SELECT sum(left_micros) FROM playback_promobudget)
               + coalesce((SELECT sum(amount_micros) FROM playback_promogrant), 0) AS micros) AS before
 WHERE micros > 0;
ALTER TABLE playback_refund DISABLE TRIGGER refund_goes_forward_only;
UPDATE playback_refund SET refunded_at = ended_at WHERE state = 'refunded';
ALTER TABLE playback_refund ENABLE TRIGGER refund_goes_forward_only;
"""


class Migration(migrations.Migration):
    dependencies = [("playback", "0009_chargebacks"), ("members", "0005_month_facts")]

    operations = [
        migrations.CreateModel(
            name="PromoFunding",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("amount_micros", models.BigIntegerField()),
                ("reason", models.TextField(blank=True)),
                ("funded_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros", 0), _negated=True), name="promo_funding_changes_something"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="refund",
            name="refunded_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunSQL(BEFORE, migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "facts.sql").read_text(), (SQL / "facts_away.sql").read_text()),
    ]
