"""Who has left, for the apps to the right; and the tree of each roll, so that a proof reads its path alone."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0013_erasures"),
    ]

    operations = [
        migrations.CreateModel(
            name="RollTree",
            fields=[
                (
                    "election",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="members.election",
                    ),
                ),
                ("names", models.BinaryField()),
                ("roots", models.BinaryField()),
            ],
        ),
        migrations.RunSQL((SQL / "leaving.sql").read_text(), (SQL / "leaving_away.sql").read_text()),
    ]
