# One image for every service: `keepwell up notifier` and so on. The base is an argument, for machines that have
# another registry or none; no syntax line, which would be one more image to fetch.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
RUN pip install --no-cache-dir "uv>=0.9,<1"
ENV UV_PROJECT_ENVIRONMENT=/opt/keepwell \
    UV_PYTHON_DOWNLOADS=never \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1
WORKDIR /source
# What others wrote first: it changes seldom, and its layer is kept. Without the groups `embedded` (here PostgreSQL and
# Kafka have containers of their own), `dev` and `bench`.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY keepwell keepwell
COPY services services
COPY shared shared
RUN uv sync --frozen --no-default-groups --no-editable

FROM ${PYTHON_IMAGE}
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
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["python", "-m", "keepwell.health"]
ENTRYPOINT ["keepwell"]
CMD ["up"]
