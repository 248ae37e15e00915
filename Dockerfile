# Threadline, as one image for every role: docker build -t threadline .
# It runs as nobody in particular, and writes nothing but its SQLite file, on the volume /data; with
# THREADLINE_DATABASE_URL naming a PostgreSQL database nothing at all. docker run --read-only --tmpfs /tmp works.
FROM python:3.11-slim AS built
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /threadline && /threadline/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bots bots
COPY core core
COPY manifests manifests
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && /threadline/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim
COPY --from=built /threadline /threadline
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin threadline \
    && install -d -o 10001 /data
USER 10001
VOLUME /data
WORKDIR /tmp
ENV PATH=/threadline/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 THREADLINE_HTTP_HOST=0.0.0.0 \
    THREADLINE_DATABASE_URL=sqlite:////data/threadline.db
EXPOSE 8080
# What is under way has 20 seconds at the end: give it 30 before it is killed (stop_grace_period).
STOPSIGNAL SIGTERM
ENTRYPOINT ["threadline"]
CMD ["run"]
