#!/bin/sh
# One command of the operator, as the service's own user and in its own environment; run it as root:
#
#     sh deploy/manage.sh doctor
#     ROLE=owner sh deploy/manage.sh backup /var/backups/sayso/NEW --by NAME
#
# What a command writes, the service can read then. ROLE is one of the four of deploy/setup.sh.
set -eu
: "${SECRETS:=/etc/sayso/secrets}" "${SETTINGS:=/etc/sayso/environment}" "${ROLE:=app}" "${RUN_AS:=sayso}"
set -a
. "$SETTINGS"
: "${SAYSO_DATA:=/var/lib/sayso/data}" "${SAYSO_KEYS:=/etc/sayso/keys}" "${SAYSO_NOES:=/var/lib/sayso/noes}"
SAYSO_SECRET_KEY=$(cat "$SECRETS/django")
SAYSO_METRICS_TOKEN=$(cat "$SECRETS/metrics")
DATABASE_URL=$(cat "$SECRETS/${ROLE}_url")
set +a
umask 077
exec setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --init-groups \
    "${PYTHON:-.venv/bin/python}" manage.py "$@"
