# name: node:20-slim
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        nodejs npm && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
CMD ["node"]
