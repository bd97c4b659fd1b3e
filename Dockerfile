# The worker's image: the packages of deploy/run.lock, this project, and an account without privileges.
FROM python:3.11-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/signoff
WORKDIR /source

# The packages change seldom: their layer is kept while only the code changes.
COPY deploy/run.lock deploy/build.lock deploy/
RUN /opt/signoff/bin/pip install --no-deps --require-hashes -r deploy/run.lock
# hatchling builds the wheel; it stays behind in this stage.
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-deps --require-hashes -r deploy/build.lock

COPY pyproject.toml README.md ./
COPY worker worker
COPY schemas schemas
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/signoff/bin/pip install --no-deps --no-index /wheels/signoff-*.whl

FROM python:3.11-slim

RUN useradd --system --no-create-home --shell /usr/sbin/nologin signoff
COPY --from=build /opt/signoff /opt/signoff
ENV PATH=/opt/signoff/bin:$PATH PYTHONUNBUFFERED=1
USER signoff
WORKDIR /tmp
ENTRYPOINT ["signoff"]
CMD ["run"]
