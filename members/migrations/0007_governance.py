"""The founding version of `governance`."""

from django.db import migrations

from members import policies

GOVERNANCE = {
    "sponsoring_days": 14,
    "deliberation_days": 14,
    "deliberation_long_days": 21,
    "notice_days": 7,
    "notice_long_days": 14,
    "voting_days": 7,
    "voting_long_days": 14,
    "contest_days": 7,
    "head_quorum_num": 1,
    "head_quorum_den": 10,
    "head_quorum_least": 5,
    "head_quorum_most": 300,
    "support_ordinary_num": 1,
    "support_ordinary_den": 2,
    "support_special_num": 2,
    "support_special_den": 3,
    "support_constitutional_num": 3,
    "support_constitutional_den": 4,
    "heads_ordinary_num": 1,
    "heads_ordinary_den": 3,
    "heads_special_num": 1,
    "heads_special_den": 2,
    "heads_constitutional_num": 2,
    "heads_constitutional_den": 3,
    "weight_creator_ppm": 450_000,
    "weight_listener_ppm": 350_000,
    "weight_worker_ppm": 200_000,
    "sponsors_ppm": 20_000,
    "sponsors_least": 3,
    "sponsors_most": 25,
}


def record(apps, schema_editor):
    """Record version 1."""
    with schema_editor.connection.cursor() as cursor:
        policies.record_founding(cursor, key="governance", params=GOVERNANCE)


class Migration(migrations.Migration):
    dependencies = [("members", "0006_lineage")]
    operations = [migrations.RunPython(record, migrations.RunPython.noop)]
