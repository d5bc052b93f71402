# Agent, operator and iotctl in one image. BASE_IMAGE needs Python 3.11 or newer (with venv in the first
# stage) and setpriv: any python:*-slim has them. Where no registry is reached: hack/image makes a base.
# EXTRAS=agent,cli leaves the operator's libraries out, for devices that never see Kubernetes.
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS requirements
ARG EXTRAS=agent,cli,operator
COPY pyproject.toml hack/image-requirements ./
RUN python3 image-requirements "${EXTRAS}" >requirements.txt

# The libraries are a layer of their own: it stays, here and on devices, until other ones are asked for.
# A folder `wheels` beside this file, if there is one, is used instead of the network.
FROM ${BASE_IMAGE} AS libraries
WORKDIR /src
COPY LICENSE wheels* wheels/
COPY --from=requirements requirements.txt .
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/iotistic \
 && if ls wheels/*.whl >/dev/null 2>&1; then set -- --no-index --find-links wheels; else set --; fi \
 && printf '%s\n' "/opt/pip/bin/pip --python /opt/iotistic/bin/python --disable-pip-version-check install \
      --no-cache-dir --no-compile $* \"\$@\"" >install \
 && sh install -r requirements.txt \
 && find /opt/iotistic -name tests -type d -prune -exec rm -rf {} + \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/iotistic/lib

FROM libraries AS product
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
COPY iotctl iotctl
RUN sh install --no-deps --prefix /opt/product . \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/product

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="Iotistic Edge" \
      org.opencontainers.image.description="Runs container Apps on edge devices and keeps them running" \
      org.opencontainers.image.licenses="Apache-2.0"
# Some bases come without Python's own library compiled; each start would do it again.
RUN python3 -m compileall -q -x '/(test|tests|idlelib|lib2to3|tkinter|turtledemo|site-packages|dist-packages)/' \
      "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && groupadd --system --gid 48484 iotistic \
 && useradd --system --uid 48484 --gid iotistic --no-create-home --home-dir /app/data iotistic \
 && mkdir -p /app/data && chown iotistic:iotistic /app/data && chmod 0750 /app/data
COPY hack/image-entry /usr/local/bin/image-entry
COPY --from=libraries /opt/iotistic /opt/iotistic
COPY --from=product /opt/product /opt/iotistic
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
