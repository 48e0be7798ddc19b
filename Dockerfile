# The application in an environment of its own, as nobody in particular, from locked dependencies.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/thuphi
COPY requirements.lock .
RUN /opt/thuphi/bin/pip install --no-cache-dir --only-binary :all: --require-hashes \
    -r requirements.lock
COPY pyproject.toml README.md ./
COPY gateway gateway
COPY adapters adapters
COPY reconciliation reconciliation
COPY receipts receipts
# setuptools and wheel of the image build it, so nothing that is not locked is fetched.
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/thuphi/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl \
 && /opt/thuphi/bin/python -m compileall -q /opt/thuphi

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/thuphi --shell /usr/sbin/nologin thuphi \
 && install -d -o thuphi -g thuphi /srv/thuphi \
 && install -d -m 0700 -o thuphi -g thuphi /srv/thuphi/high-water
COPY --from=build /opt/thuphi /opt/thuphi
ENV PATH=/opt/thuphi/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
WORKDIR /srv/thuphi
USER 10001
EXPOSE 8080
ENTRYPOINT ["thuphi"]
CMD ["serve", "--address", "0.0.0.0", "--port", "8080"]
