"""Accounts of transfers are sealed; which charges were paid with fresh credit can be asked."""

from pathlib import Path

from django.db import migrations, models

from members import ibans

SQL = Path(__file__).resolve().parent.parent / "sql"
QUIET = "ALTER TABLE playback_refundtransfer DISABLE TRIGGER refund_transfer_is_for_somebody_else"
AGAIN = "ALTER TABLE playback_refundtransfer ENABLE TRIGGER refund_transfer_is_for_somebody_else"


def seal(apps, schema_editor):
    """Seal what lay open."""
    for row in apps.get_model("playback", "RefundTransfer").objects.select_related("refund"):
        account = ibans.Account(iban=row.iban, bic="")
        row.sealed, row.mask = ibans.seal(account.iban, owner_id=row.refund.listener_id), account.mask
        row.save(update_fields=["sealed", "mask"])


class Migration(migrations.Migration):
    dependencies = [("playback", "0010_money_facts")]

    operations = [
        migrations.AddField(
            "refundtransfer", "mask", models.CharField(default="", max_length=16), preserve_default=False
        ),
        migrations.AddField("refundtransfer", "sealed", models.TextField(default=""), preserve_default=False),
        migrations.RunSQL(QUIET, migrations.RunSQL.noop),
        migrations.RunPython(seal, migrations.RunPython.noop),
        migrations.RunSQL(AGAIN, migrations.RunSQL.noop),
        migrations.RemoveField("refundtransfer", "iban"),
        migrations.AddConstraint(
            "refundtransfer",
            models.CheckConstraint(condition=models.Q(sealed__startswith="v1."), name="refund_transfer_is_sealed"),
        ),
        migrations.RunSQL(
            (SQL / "fresh.sql").read_text(),
            "DROP FUNCTION playback_fresh_charges(timestamptz, timestamptz, interval)",
        ),
    ]
