# syntax=docker/dockerfile:1
# The production image: works in /app, keeps its data in /app/data, ends up as an ordinary user.
#   docker build -t fks_master:latest .
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python3 -m venv /opt/fks_master /opt/builder
COPY requirements/run.txt requirements/build.txt requirements/node.txt requirements/
RUN /opt/fks_master/bin/pip install --quiet --no-deps --require-hashes --only-binary :all: -r requirements/run.txt
RUN /opt/builder/bin/pip install --quiet --no-deps --require-hashes -r requirements/build.txt -r requirements/node.txt
COPY . .
RUN /opt/builder/bin/python -m build --no-isolation --wheel --outdir /build/dist . \
 && /opt/fks_master/bin/pip install --quiet --no-deps /build/dist/*.whl \
 && /opt/fks_master/bin/python -m compileall -q /opt/fks_master/lib \
 && /opt/fks_master/bin/pip uninstall --quiet --yes pip

FROM ${BASE}
LABEL org.opencontainers.image.title="FKS Master" \
      org.opencontainers.image.description="Watches and controls the services of a Docker/Compose system" \
      org.opencontainers.image.licenses="MIT"
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates docker-cli docker-compose python3 tini tzdata \
 && rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/man \
 && useradd --system --uid 9090 --home-dir /app --shell /usr/sbin/nologin fks \
 && mkdir -p /app/data /app/config \
 && chown fks:fks /app/data
COPY --from=build /opt/fks_master /opt/fks_master
COPY deploy/docker/entrypoint.sh /usr/local/bin/fks-entrypoint
COPY config/monitor.toml /app/config/monitor.toml
ENV PATH=/opt/fks_master/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FKS_MASTER_HOST=0.0.0.0
WORKDIR /app
VOLUME /app/data
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["fks-entrypoint", "healthcheck"]
ENTRYPOINT ["tini", "--", "fks-entrypoint"]
CMD ["serve"]
