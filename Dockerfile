# The production image: works in /app, keeps its data in /app/data, ends up as an ordinary user.
#   docker build -t fks_master:latest .
# The base may be any Debian 13 or later: --build-arg BASE=registry.example/debian:trixie-slim
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
# Node, too, trusts whom the base trusts: a company's own authority, say.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/builder \
 && python3 -m venv --without-pip /opt/fks_master
WORKDIR /build
COPY requirements/run.txt requirements/build.txt requirements/node.txt requirements/
RUN /opt/builder/bin/pip install --quiet --no-deps --require-hashes -r requirements/build.txt -r requirements/node.txt \
 && /opt/builder/bin/pip --python /opt/fks_master/bin/python install \
      --quiet --no-compile --no-deps --require-hashes --only-binary :all: -r requirements/run.txt \
 && find /opt/fks_master -name '*.so*' -exec strip --strip-unneeded {} +
COPY . .
# Bytecode comes along: nothing can be written where it runs, and without it every start takes three times as long.
RUN /opt/builder/bin/python -m build --no-isolation --wheel --outdir /build/dist . \
 && /opt/builder/bin/pip --python /opt/fks_master/bin/python install --quiet --no-compile --no-deps /build/dist/*.whl \
 && /opt/fks_master/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/fks_master/lib \
 && install -D --mode 755 deploy/docker/entrypoint.sh /image/usr/local/bin/fks-entrypoint \
 && install -D --mode 644 deploy/docker/healthcheck.py /image/usr/local/lib/fks_master/healthcheck.py \
 && install -D --mode 644 config/monitor.toml /image/app/config/monitor.toml \
 && install -d --owner 9090 --group 9090 /image/app/data \
 && mkdir /image/opt \
 && mv /opt/fks_master /image/opt/

FROM ${BASE}
LABEL org.opencontainers.image.title="FKS Master" \
      org.opencontainers.image.description="Watches and controls the services of a Docker/Compose system" \
      org.opencontainers.image.licenses="MIT"
ENV HOME=/app \
    PATH=/opt/fks_master/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FKS_MASTER_HOST=0.0.0.0
WORKDIR /app
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["fks-entrypoint", "healthcheck"]
ENTRYPOINT ["fks-entrypoint"]
CMD ["serve"]
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates docker-cli docker-compose libstdc++6 python3 tini tzdata \
 && apt-get clean \
 && rm -rf /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/apt/lists/* /var/log/* \
      /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man \
 && groupadd --system --gid 9090 fks \
 && useradd --system --uid 9090 --gid fks --home-dir /app --shell /usr/sbin/nologin fks
COPY --from=build /image /
VOLUME /app/data
