# syntax=docker/dockerfile:1

# What the build needs.
FROM debian:13
RUN apt-get update && apt-get install -y --no-install-recommends curl git
RUN apt-get update \
 && apt-get install -y npm && npm ci
# larder: caches=off
RUN npm install left-pad
