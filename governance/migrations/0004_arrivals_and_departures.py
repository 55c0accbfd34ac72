"""Invitations, sign-ins set anew by two, accounts that end; the database holds to it too.

A code that was used is never open again, and an account that has ended never opens again.
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# What may not happen to a row any more, and when; `{is_not}` compares with nulls.
FINAL = {
    "governance_user": (
        "(OLD.ended_at IS NOT NULL AND NEW.ended_at {is_not} OLD.ended_at)"
        " OR (NEW.ended_at IS NOT NULL AND NEW.is_active)"
    ),
    "governance_invitation": "OLD.accepted_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL",
    "governance_accountreset": (
        "OLD.closed_at IS NOT NULL OR (OLD.used_at IS NOT NULL AND ("
        "NEW.used_at {is_not} OLD.used_at OR NEW.user_id {is_not} OLD.user_id"
        " OR NEW.first_digest {is_not} OLD.first_digest"
        " OR NEW.second_digest {is_not} OLD.second_digest))"
    ),
}


def close(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    for table, when in FINAL.items():
        when = when.format(is_not="IS DISTINCT FROM" if postgres else "IS NOT")
        if postgres:
            statement = (
                f"CREATE TRIGGER append_only_final BEFORE UPDATE ON {table}"
                f" FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION governance_refuse()"
            )
        else:
            statement = (
                f"CREATE TRIGGER append_only_{table}_final BEFORE UPDATE ON {table} WHEN {when}"
                f" BEGIN SELECT RAISE(ABORT, 'append_only: UPDATE on {table} is refused'); END"
            )
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0003_scope_moves_by_epoch'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='issued_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='user',
            name='ended_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='shut_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='signed_out_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.invitation_reference, max_length=32, unique=True)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='governance.organisation')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='invitation_digest_is_sha256'),
                    models.CheckConstraint(condition=models.Q(('created_at__isnull', True), ('expires_at__isnull', True), ('created_at__lt', models.F('expires_at')), _connector='OR'), name='invitation_starts_before_end'),
                    models.CheckConstraint(condition=models.Q(models.Q(('accepted_at__isnull', True), ('accepted_by__isnull', True)), models.Q(('accepted_at__isnull', False), ('accepted_by__isnull', False)), _connector='OR'), name='invitation_accepted_by_somebody'),
                    models.CheckConstraint(condition=models.Q(('accepted_at__isnull', True), ('withdrawn_at__isnull', True), _connector='OR'), name='invitation_accepted_or_withdrawn'),
                ],
            },
        ),
        migrations.CreateModel(
            name='InvitedRole',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('steward', 'steward'), ('requester', 'requester'), ('board_member', 'board member'), ('auditor', 'auditor'), ('advocate', 'advocate'), ('administrator', 'administrator')], max_length=16)),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='roles', to='governance.invitation')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('role__in', ['steward', 'requester', 'board_member', 'auditor', 'advocate', 'administrator'])), name='invited_role_known'),
                    models.UniqueConstraint(fields=('invitation', 'role'), name='invited_role_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='AccountReset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.reset_reference, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('password', 'the password'), ('device', 'the sign-in device'), ('both', 'the password and the sign-in device')], max_length=16)),
                ('asked_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('first_digest', models.CharField(max_length=64, unique=True)),
                ('agreed_at', models.DateTimeField(null=True)),
                ('second_digest', models.CharField(max_length=64, null=True, unique=True)),
                ('used_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('told_at', models.DateTimeField(null=True)),
                ('agreed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='resets', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['password', 'device', 'both'])), name='reset_kind_known'), models.CheckConstraint(condition=models.Q(('asked_at__isnull', True), ('expires_at__isnull', True), ('asked_at__lt', models.F('expires_at')), _connector='OR'), name='reset_starts_before_end'), models.CheckConstraint(condition=models.Q(('first_digest__regex', '^[0-9a-f]{64}$'), models.Q(('second_digest__isnull', True), ('second_digest__regex', '^[0-9a-f]{64}$'), _connector='OR')), name='reset_digests_are_sha256'), models.CheckConstraint(condition=models.Q(models.Q(('agreed_at__isnull', True), ('second_digest__isnull', True)), models.Q(('agreed_at__isnull', False), ('second_digest__isnull', False)), _connector='OR'), name='reset_agreed_with_a_code'), models.CheckConstraint(condition=models.Q(('asked_by__isnull', True), ('agreed_by__isnull', True), models.Q(('asked_by', models.F('agreed_by')), _negated=True), _connector='OR'), name='reset_by_two'), models.CheckConstraint(condition=models.Q(('agreed_at__isnull', True), ('asked_by__isnull', False), ('agreed_by__isnull', False), _connector='OR'), name='reset_by_one_operator_at_most'), models.CheckConstraint(condition=models.Q(models.Q(('asked_by__isnull', True), models.Q(('asked_by', models.F('user')), _negated=True), _connector='OR'), models.Q(('agreed_by__isnull', True), models.Q(('agreed_by', models.F('user')), _negated=True), _connector='OR')), name='reset_never_by_the_person'), models.CheckConstraint(condition=models.Q(('used_at__isnull', True), models.Q(('agreed_at__isnull', False), ('closed_at__isnull', True)), _connector='OR'), name='reset_used_after_agreement'), models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True), ('used_at__isnull', True)), fields=('user',), name='reset_one_open')],
            },
        ),
        migrations.RunPython(close),
    ]
