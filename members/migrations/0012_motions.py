"""A motion is put to the members as a proposal; and what the apps to the right read of belonging."""

from pathlib import Path

from django.db import migrations, models

import members.voting.tally

SQL = Path(__file__).resolve().parent.parent / "sql"
BEFORE = (
    (SQL / "proposals.sql")
    .read_text()
    .partition("nor by which rules it is asked; an ended proposal does not move.\n")[2]
)
BEFORE = BEFORE.partition("CREATE TRIGGER")[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0011_voiding"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="proposal",
            name="proposal_has_figures_unless_advisory",
        ),
        migrations.AddField(
            model_name="proposal",
            name="motion_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ["sponsoring", "deliberation", "notice", "voting", "counting", "contest", "queued"]),
                    models.Q(("motion_sha256", ""), _negated=True),
                ),
                fields=("motion_sha256",),
                name="proposal_one_live_per_motion",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("base_seq", None),
                        ("key", ""),
                        ("kind", members.voting.tally.Kind["ADVISORY"]),
                        ("motion_sha256", ""),
                        ("params", None),
                    ),
                    models.Q(
                        ("base_seq", None),
                        ("key", ""),
                        ("kind", members.voting.tally.Kind["ORDINARY"]),
                        ("params", None),
                        models.Q(("motion_sha256", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("key", ""), _negated=True),
                        ("base_seq__isnull", False),
                        ("motion_sha256", ""),
                        ("params__isnull", False),
                        models.Q(("kind", members.voting.tally.Kind["ADVISORY"]), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="proposal_has_figures_unless_advisory",
            ),
        ),
        migrations.RunSQL((SQL / "motions.sql").read_text(), BEFORE),
        migrations.RunSQL(
            (SQL / "place_facts.sql").read_text(), "DROP VIEW members_worked_facts; DROP VIEW members_place_facts"
        ),
    ]
