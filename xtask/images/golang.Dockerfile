# name: golang:1.24
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        golang-go gcc libc6-dev git && rm -rf /var/lib/apt/lists/*
ENV GOTOOLCHAIN=local GOPATH=/go
ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN ln -s /usr/lib/go /usr/local/go && \
    mkdir -p /go/src /go/bin && chmod -R 1777 /go
WORKDIR /go
