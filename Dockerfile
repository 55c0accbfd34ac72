# Two stages: one that installs, one that runs. The second has no compiler, no pip cache, no root.
FROM python:3.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements/base.txt /build/base.txt
# Only what the lock names, each with its hash, nothing built here.
RUN python -m venv /opt/sayso/.venv \
    && /opt/sayso/.venv/bin/pip install --require-hashes --only-binary :all: -r /build/base.txt
COPY . /opt/sayso
WORKDIR /opt/sayso
# The settings want a secret; this one serves the collecting of style sheets and is kept nowhere.
RUN SAYSO_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    SAYSO_HOSTS=build.example DATABASE_URL=sqlite:////tmp/build.sqlite3 \
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && .venv/bin/python -m compileall -q .

FROM python:3.13-slim-bookworm

RUN groupadd --system --gid 10001 sayso \
    && useradd --system --uid 10001 --gid sayso --home-dir /opt/sayso --shell /usr/sbin/nologin sayso \
    && mkdir -p /srv/data /srv/keys /srv/noes \
    && chown sayso:sayso /srv/data /srv/keys /srv/noes \
    && chmod 700 /srv/data /srv/keys /srv/noes
COPY --from=build /opt/sayso /opt/sayso

ENV PATH=/opt/sayso/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SAYSO_DATA=/srv/data SAYSO_KEYS=/srv/keys SAYSO_NOES=/srv/noes SAYSO_METRICS=/tmp/metrics \
    SAYSO_BIND=0.0.0.0:8000
WORKDIR /opt/sayso
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-m", "config.probe"]
CMD ["python", "-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi"]
