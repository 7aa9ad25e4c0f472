"""A vote whose urn and roll do not agree is voided, and keeps its voters' secret as a counted one does."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0010_proposals"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="election",
            name="election_is_counted_when_closed",
        ),
        migrations.AlterField(
            model_name="election",
            name="state",
            field=models.CharField(
                choices=[("announced", "Announced"), ("closed", "Closed"), ("voided", "Voided")],
                default="announced",
                max_length=9,
            ),
        ),
        migrations.AddConstraint(
            model_name="election",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("result", None), ("state", "announced"), ("votes", None)),
                    models.Q(("closed_at__gte", models.F("closes_at")), ("state", "closed"), ("votes__isnull", False)),
                    models.Q(
                        ("closed_at__gte", models.F("closes_at")),
                        ("result", None),
                        ("state", "voided"),
                        ("votes", None),
                    ),
                    _connector="OR",
                ),
                name="election_is_counted_when_closed",
            ),
        ),
        migrations.RunSQL((SQL / "voiding.sql").read_text(), (SQL / "voiding_away.sql").read_text()),
    ]
