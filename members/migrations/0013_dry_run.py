"""The dry run that stays with a proposal from its freeze on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0012_motions")]
    operations = [migrations.AddField(model_name="proposal", name="dry_run", field=models.JSONField(null=True))]
