# One image; docker-compose.yml runs it as web server, workers and clock.
FROM python:3.11-slim

# Chinese and Latin glyphs are the browser's business; the server needs nothing beyond the wheels.
RUN useradd --create-home --uid 1000 diptych
WORKDIR /srv/diptych

COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

COPY . .
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps -e . \
    && mkdir -p /var/lib/diptych/media /var/lib/diptych/static \
    && chown -R diptych:diptych /var/lib/diptych

ENV DIPTYCH_MODE=production \
    DIPTYCH_HOME=/var/lib/diptych \
    MEDIA_ROOT=/var/lib/diptych/media \
    STATIC_ROOT=/var/lib/diptych/static \
    PYTHONUNBUFFERED=1 \
    GRANIAN_WORKERS=2 \
    GRANIAN_BLOCKING_THREADS=2

USER diptych
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "diptych.wsgi:application"]
