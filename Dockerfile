# The web page and the API in a container; see docs/server.md.
#   docker build -t vitruvian .
#   docker run --read-only --tmpfs /tmp -v vitruvian:/data -p 8000:8000 vitruvian

FROM node:22-bookworm-slim AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
COPY src/vitruvian/ /build/src/vitruvian/
RUN npm run build

FROM python:3.12-slim-bookworm AS package
WORKDIR /build
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY examples/ examples/
COPY src/ src/
COPY --from=page /build/src/vitruvian/server/page/ src/vitruvian/server/page/
RUN python -m venv /opt/vitruvian \
    && /opt/vitruvian/bin/pip install --no-cache-dir '.[server,postgresql,heic]'

FROM python:3.12-slim-bookworm
COPY --from=package /opt/vitruvian /opt/vitruvian
RUN useradd --system --uid 10001 --create-home vitruvian \
    && mkdir -p /data /var/cache/vitruvian \
    && chown vitruvian /data /var/cache/vitruvian
ENV PATH=/opt/vitruvian/bin:$PATH \
    NUMBA_CACHE_DIR=/var/cache/vitruvian \
    VITRUVIAN_SERVER_HOST=0.0.0.0 \
    VITRUVIAN_SERVER_DATA=/data
USER 10001
# The code for any processor of this kind is compiled now; the root may then be read-only.
RUN vitruvian warm-up && vitruvian doctor
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["vitruvian"]
CMD ["serve"]
