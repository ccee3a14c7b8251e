# syntax=docker/dockerfile:1

FROM scratch AS larder-files
COPY <<'EOF' /etc/apt/apt.conf.d/docker-clean
Binary::apt::APT::Keep-Downloaded-Packages "true";
APT::Keep-Downloaded-Packages "true";
EOF

# What the build needs.
FROM debian:13
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=bind,from=larder-files,source=/etc/apt/apt.conf.d/docker-clean,target=/etc/apt/apt.conf.d/docker-clean \
    apt-get update && apt-get install -y --no-install-recommends curl git
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=bind,from=larder-files,source=/etc/apt/apt.conf.d/docker-clean,target=/etc/apt/apt.conf.d/docker-clean \
    apt-get update \
 && apt-get install -y npm && npm ci
# larder: caches=off
RUN npm install left-pad
