# The agent and iotctl in one image. BASE_IMAGE needs Python 3.11 or newer (with venv in the first
# stage) and setpriv: any python:*-slim has them. Where no registry is reached: hack/image makes a base.
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
WORKDIR /src
# A folder `wheels` beside this file, if there is one, is used instead of the network.
COPY pyproject.toml README.md LICENSE wheels* wheels/
RUN mv wheels/pyproject.toml wheels/README.md wheels/LICENSE . && python3 -m venv /opt/iotistic
COPY operator operator
COPY iotctl iotctl
RUN if ls wheels/*.whl >/dev/null 2>&1; then set -- --no-index --find-links wheels; else set --; fi \
 && /opt/iotistic/bin/pip install --disable-pip-version-check --no-cache-dir "$@" '.[agent,cli]' \
 && /opt/iotistic/bin/pip uninstall --yes --quiet setuptools pip \
 && find /opt/iotistic -name tests -type d -prune -exec rm -rf {} + \
 && /opt/iotistic/bin/python -m compileall -q /opt/iotistic/lib || true

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="Iotistic Edge" \
      org.opencontainers.image.description="Runs container Apps on edge devices and keeps them running" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/iotistic /opt/iotistic
COPY hack/image-entry /usr/local/bin/image-entry
RUN groupadd --system --gid 48484 iotistic \
 && useradd --system --uid 48484 --gid iotistic --no-create-home --home-dir /app/data iotistic \
 && mkdir -p /app/data && chown iotistic:iotistic /app/data && chmod 0750 /app/data
ENV PATH=/opt/iotistic/bin:$PATH \
    CONFIG_DIR=/app/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
VOLUME /app/data
EXPOSE 48484
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s --retries=3 CMD ["iotistic-edge", "healthy"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["image-entry"]
CMD ["iotistic-edge", "agent"]
