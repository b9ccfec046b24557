# One image. docker-compose.yml runs it as web server, workers and beat. PostgreSQL and Valkey have images of their own.
FROM python:3.11-slim

# The server needs only the wheels: ffmpeg is one of them, and fonts of pages come from the browser. Charts as PNG files
# need a font with Chinese characters.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends fonts-liberation fonts-wqy-microhei \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 diptych
WORKDIR /srv/diptych

COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY client client
RUN pip install --no-cache-dir --disable-pip-version-check -c constraints.txt ./client .

COPY . .
# Only the application and nginx may read media. docker-compose.yml runs nginx as the same user.
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps -e ./client -e . \
    && install -d -m 700 -o diptych -g diptych /var/lib/diptych /var/lib/diptych/media /var/lib/diptych/static \
        /var/lib/diptych/scratch

ENV DIPTYCH_MODE=production \
    DIPTYCH_HOME=/var/lib/diptych \
    MEDIA_ROOT=/var/lib/diptych/media \
    STATIC_ROOT=/var/lib/diptych/static \
    TMPDIR=/var/lib/diptych/scratch \
    PYTHONUNBUFFERED=1 \
    GRANIAN_WORKERS=2 \
    GRANIAN_BLOCKING_THREADS=2

USER 1000:1000
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "diptych.wsgi:application"]
