# syntax=docker/dockerfile:1
# A service in Python.
ARG PYTHON=3.13
FROM python:${PYTHON}-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -r requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    <<EOF
# RUN pip install nothing
pip install gunicorn
EOF
RUN --mount=type=cache,target=/root/.cache/pip \
    ["pip", "install", "flask"]
run --mount=type=cache,target=/root/.cache/pip \
    # the rest
    pip install \

    uvicorn && \
    true
RUN pip install celery && rm -rf ~/.cache
RUN python -m compileall .
ONBUILD RUN pip install more

FROM build
RUN --mount=type=cache,target=/root/.cache/pip \
    --network=default --mount=type=bind,target=/src pip install -r /src/dev.txt
RUN --mount=type=cache,target=/root/.cache/pip pip install pytest
USER nobody
RUN pip install --user black
