# One image for every service: `keepwell up notifier` and so on. The base is an argument, for machines that have
# another registry or none; no syntax line, which would be one more image to fetch.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
RUN pip install --no-cache-dir "uv>=0.9,<1"
ENV UV_PROJECT_ENVIRONMENT=/opt/keepwell \
    UV_PYTHON_DOWNLOADS=never \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
WORKDIR /source
# What others wrote first: it changes seldom, and its layer is kept. Without the groups `embedded` (here PostgreSQL and
# Kafka have containers of their own), `dev` and `bench`.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY keepwell keepwell
COPY services services
COPY shared shared
# Bytecode of what is loaded, at the start or when it is first needed, for the root file system may be one that cannot
# be written; not of the many megabytes of libraries that nothing here imports.
RUN uv sync --frozen --no-default-groups --no-editable \
 && /opt/keepwell/bin/python -m compileall -q /opt/keepwell/lib/python3*/site-packages/keepwell \
      /opt/keepwell/lib/python3*/site-packages/services /opt/keepwell/lib/python3*/site-packages/shared \
 && /opt/keepwell/bin/python -c "import keepwell.cli.commands.up, keepwell.cli.errors, keepwell.host.stand_ins, shared.database.migrate; import aiohttp, aiosmtplib, icalendar, jinja2, jwt, rich.progress, rich.table; from keepwell.host import registry; [registry.module(name) for name in registry.SERVICES]" \
 && /opt/keepwell/bin/keepwell up --help >/dev/null

FROM ${PYTHON_IMAGE}
# pg_dump and pg_restore, for `keepwell backup` and `keepwell restore`.
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
RUN groupadd --gid 10001 keepwell \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/keepwell --shell /usr/sbin/nologin keepwell \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/keepwell
COPY --from=build /opt/keepwell /opt/keepwell
ENV PATH=/opt/keepwell/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KEEPWELL_DATA_DIR=/var/lib/keepwell \
    KEEPWELL_HTTP_HOST=0.0.0.0 \
    KEEPWELL_HTTP_PORT=8080
USER 10001:10001
WORKDIR /var/lib/keepwell
EXPOSE 8080
STOPSIGNAL SIGTERM
# Ready, not only alive: what others wait for. A process that has to wait for its database says so and is not ended.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["python", "-m", "keepwell.host.health"]
ENTRYPOINT ["keepwell"]
CMD ["up"]
