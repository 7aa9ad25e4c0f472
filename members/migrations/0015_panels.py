"""One panel for all that is appealed: contests keep their rows, and appeals against expulsions get rows of their own."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

RULED = Q(ruling="", ruled_at=None) | ~Q(ruling="") & Q(ruled_at__isnull=False)
REASONED = Q(ruling="", ruled_at=None) | ~Q(ruling="") & ~Q(reasons="") & Q(ruled_at__isnull=False)
CONTESTS = [("upheld", "The vote stands"), ("recounted", "Count it again"), ("voided", "Hold it again")]
EXPULSIONS = [("upheld", "The expulsion stands"), ("lifted", "Lift it")]
PERSON = models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)
# An appeal that nobody has decided gets days from now on; beat draws the panel of one that has none.
CARRIED = """
INSERT INTO members_expulsionappeal
       (id, person_id, text, filed_at, decide_until, ruling, ruled_at, lapsed_at, expulsion_id)
SELECT gen_random_uuid(), m.person_id, e.appeal, e.appealed_at,
       coalesce(e.lifted_at, e.upheld_at, coop_now()) + interval '14 days',
       CASE WHEN e.lifted_at IS NOT NULL THEN 'lifted' WHEN e.upheld_at IS NOT NULL THEN 'upheld' ELSE '' END,
       coalesce(e.lifted_at, e.upheld_at), NULL, e.id
  FROM members_expulsion e JOIN members_membership m ON m.id = e.membership_id
 WHERE e.appealed_at IS NOT NULL;
INSERT INTO members_expulsionseat (person_id, ruling, reasons, ruled_at, appeal_id)
SELECT v.person_id, CASE WHEN v.says_yes THEN 'upheld' WHEN NOT v.says_yes THEN 'lifted' ELSE '' END,
       CASE WHEN v.says_yes IS NULL THEN '' ELSE 'No reasons were asked for then.' END, v.given_at, a.id
  FROM members_voice v JOIN members_expulsionappeal a ON a.expulsion_id = v.expulsion_id
 WHERE v.on_appeal ORDER BY v.given_at, v.id;
DELETE FROM members_voice WHERE on_appeal;
SET CONSTRAINTS ALL IMMEDIATE;
"""
CARRIED_BACK = """
UPDATE members_expulsion e
   SET appeal = left(a.text, 4000), appealed_at = a.filed_at,
       lifted_at = CASE WHEN a.ruling = 'lifted' THEN a.ruled_at END,
       upheld_at = CASE WHEN a.ruling = 'upheld' THEN a.ruled_at ELSE a.lapsed_at END
  FROM members_expulsionappeal a WHERE a.expulsion_id = e.id;
INSERT INTO members_voice (id, expulsion_id, person_id, on_appeal, says_yes, given_at)
SELECT gen_random_uuid(), a.expulsion_id, s.person_id, true,
       CASE s.ruling WHEN 'upheld' THEN true WHEN 'lifted' THEN false END, s.ruled_at
  FROM members_expulsionseat s JOIN members_expulsionappeal a ON a.id = s.appeal_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0014_leaving")]

    operations = [
        # Contests.
        migrations.RemoveConstraint("contest", "contest_has_grounds"),
        migrations.RenameField("contest", "grounds", "text"),
        migrations.AlterField("contest", "ruling", models.CharField(blank=True, choices=CONTESTS, max_length=9)),
        migrations.AddConstraint(
            "contest", models.CheckConstraint(condition=~Q(text=""), name="contest_says_something")
        ),
        migrations.RemoveConstraint("panelist", "panelist_once_per_contest"),
        migrations.RemoveConstraint("panelist", "panelist_gives_reasons"),
        migrations.RenameModel("Panelist", "ContestSeat"),
        migrations.RenameField("contestseat", "contest", "appeal"),
        migrations.AlterField("contestseat", "ruling", models.CharField(blank=True, choices=CONTESTS, max_length=9)),
        migrations.AddConstraint(
            "contestseat", models.UniqueConstraint(fields=("appeal", "person"), name="contestseat_once")
        ),
        migrations.AddConstraint(
            "contestseat", models.CheckConstraint(condition=REASONED, name="contestseat_gives_reasons")
        ),
        # Expulsions.
        migrations.CreateModel(
            name="ExpulsionAppeal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("filed_at", models.DateTimeField()),
                ("decide_until", models.DateTimeField()),
                ("ruled_at", models.DateTimeField(null=True)),
                ("ruling", models.CharField(blank=True, choices=EXPULSIONS, max_length=9)),
                ("lapsed_at", models.DateTimeField(null=True)),
                (
                    "expulsion",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="appeal", to="members.expulsion"
                    ),
                ),
                ("person", PERSON.clone()),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(condition=~Q(text=""), name="expulsionappeal_says_something"),
                    models.CheckConstraint(condition=RULED, name="expulsionappeal_ruling_has_its_moment"),
                    models.CheckConstraint(
                        condition=Q(ruling="") | Q(lapsed_at=None), name="expulsionappeal_ruled_or_lapsed"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExpulsionSeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reasons", models.TextField(blank=True)),
                ("ruled_at", models.DateTimeField(null=True)),
                ("ruling", models.CharField(blank=True, choices=EXPULSIONS, max_length=9)),
                (
                    "appeal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="panel", to="members.expulsionappeal"
                    ),
                ),
                ("person", PERSON.clone()),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("appeal", "person"), name="expulsionseat_once"),
                    models.CheckConstraint(condition=REASONED, name="expulsionseat_gives_reasons"),
                ],
            },
        ),
        migrations.RunSQL(CARRIED, CARRIED_BACK),
        migrations.RemoveConstraint("expulsion", "expulsion_appeal_follows_it"),
        migrations.RemoveConstraint("expulsion", "expulsion_appeal_is_decided_one_way"),
        migrations.RemoveField("expulsion", "appeal"),
        migrations.RemoveField("expulsion", "appealed_at"),
        migrations.RemoveField("expulsion", "lifted_at"),
        migrations.RemoveField("expulsion", "upheld_at"),
        migrations.RemoveConstraint("voice", "voice_once"),
        migrations.RemoveConstraint("voice", "voice_given_has_its_moment"),
        migrations.RemoveConstraint("voice", "voice_of_the_board_is_given"),
        # So that the way back finds a value for the column.
        migrations.AlterField("voice", "on_appeal", models.BooleanField(default=False)),
        migrations.RemoveField("voice", "on_appeal"),
        migrations.AlterField("voice", "says_yes", models.BooleanField()),
        migrations.AlterField("voice", "given_at", models.DateTimeField()),
        migrations.AddConstraint("voice", models.UniqueConstraint(fields=("expulsion", "person"), name="voice_once")),
    ]
