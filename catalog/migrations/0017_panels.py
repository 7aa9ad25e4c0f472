"""Appeals for works are heard by the panel that hears all appeals."""

from django.db import migrations, models
from django.db.models import Q

REASONED = Q(ruling="", ruled_at=None) | ~Q(ruling="") & ~Q(reasons="") & Q(ruled_at__isnull=False)
RULED = Q(ruling="", ruled_at=None) | ~Q(ruling="") & Q(ruled_at__isnull=False)
RULING = models.CharField(blank=True, choices=[("stays", "It stays"), ("goes", "It goes")], max_length=9)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0016_objections"), ("members", "0015_panels")]

    operations = [
        migrations.RemoveConstraint("objectionappeal", "objection_appeal_says_something"),
        migrations.RemoveConstraint("objectionappeal", "objection_ruling_has_its_moment"),
        migrations.RemoveConstraint("objectionpanelist", "objection_panelist_once"),
        migrations.RemoveConstraint("objectionpanelist", "objection_panelist_gives_reasons"),
        migrations.RenameModel("ObjectionPanelist", "ObjectionSeat"),
        migrations.AlterField("objectionappeal", "ruling", RULING.clone()),
        migrations.AlterField("objectionseat", "ruling", RULING.clone()),
        migrations.AddConstraint(
            "objectionappeal", models.CheckConstraint(condition=~Q(text=""), name="objectionappeal_says_something")
        ),
        migrations.AddConstraint(
            "objectionappeal", models.CheckConstraint(condition=RULED, name="objectionappeal_ruling_has_its_moment")
        ),
        migrations.AddConstraint(
            "objectionseat", models.UniqueConstraint(fields=("appeal", "person"), name="objectionseat_once")
        ),
        migrations.AddConstraint(
            "objectionseat", models.CheckConstraint(condition=REASONED, name="objectionseat_gives_reasons")
        ),
    ]
