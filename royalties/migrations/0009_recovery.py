"""What a restored backup may have lost: payments of the bank that name payouts nobody knows, and a closed ledger."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0006_lineage"),
        ("royalties", "0008_so_far"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BankPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("end_to_end", models.CharField(max_length=35)),
                ("cents", models.BigIntegerField()),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="payoutbatch",
            name="payout_batch_released_has_its_moment",
        ),
        migrations.AddField(
            model_name="bankline",
            name="file_name",
            field=models.CharField(blank=True, max_length=35),
        ),
        migrations.AlterField(
            model_name="payout",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payouts",
                to="royalties.payoutaccount",
            ),
        ),
        migrations.AlterField(
            model_name="payoutbatch",
            name="state",
            field=models.CharField(
                choices=[
                    ("prepared", "Prepared"),
                    ("released", "Released"),
                    ("dropped", "Dropped"),
                    ("restored", "Restored"),
                ],
                default="prepared",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("account__isnull", False), ("bank_has_it", True), _connector="OR"),
                name="payout_to_be_sent_has_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("released_at__isnull", False), ("released_by__isnull", False), ("state", "released")),
                    models.Q(("released_at__isnull", False), ("released_by", None), ("state", "restored")),
                    models.Q(
                        models.Q(("state__in", ["released", "restored"]), _negated=True),
                        ("released_at", None),
                        ("released_by", None),
                    ),
                    _connector="OR",
                ),
                name="payout_batch_released_has_its_moment",
            ),
        ),
        migrations.AddField(
            model_name="bankpart",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="royalties.bankline"
            ),
        ),
        migrations.AddIndex(
            model_name="bankpart",
            index=models.Index(fields=["end_to_end"], name="bank_part_by_end_to_end"),
        ),
        migrations.AddConstraint(
            model_name="bankpart",
            constraint=models.CheckConstraint(
                condition=models.Q(("cents", 0), _negated=True), name="bank_part_moves_something"
            ),
        ),
        migrations.RunSQL((SQL / "recovery.sql").read_text(), (SQL / "recovery_away.sql").read_text()),
    ]
