"""A folder's artwork is an upload that ends well and becomes no work."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0012_near_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="upload",
            name="upload_ready_has_a_work",
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "ready"), _negated=True),
                    ("work__isnull", False),
                    ("found__artwork", True),
                    _connector="OR",
                ),
                name="upload_ready_has_a_work",
            ),
        ),
    ]
