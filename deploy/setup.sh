#!/bin/sh
# Roles, tables, rights and key files: once at the beginning, and again after each new version.
# SECRETS is the folder with the files of scripts/make_secrets.py.
set -eu
: "${SECRETS:=/run/secrets}"
: "${PREFIX:=sayso}"

as() {
    DATABASE_URL_FILE="$SECRETS/$1" "${PYTHON:-python}" manage.py $2
}

as superuser_url "dbroles --prefix $PREFIX --passwords $SECRETS"
as owner_url "migrate --verbosity 0"
as owner_url "dbroles --prefix $PREFIX"
as owner_url "makekeys"
