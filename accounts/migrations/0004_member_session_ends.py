from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_fresh_sign_in"),
    ]

    operations = [
        migrations.AlterField(
            model_name="session",
            name="revoke_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("logout", "signed out"),
                    ("logout_all", "signed out everywhere"),
                    ("signed_in_again", "signed in again in the same browser"),
                    ("ended_by_user", "ended in the list of sessions"),
                    ("ended_by_staff", "ended by staff"),
                    ("token_reuse", "a used refresh token came back"),
                    ("member_deactivated", "deactivated in the team"),
                    ("member_removed", "removed from the team"),
                ],
                editable=False,
                max_length=20,
            ),
        ),
    ]
