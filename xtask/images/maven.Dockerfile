# name: maven:3
FROM debian:trixie-slim
# Java has a trust store of its own; what is made of these files goes into it.
RUN mkdir -p /usr/local/share/ca-certificates && cd /usr/local/share/ca-certificates && \
    csplit --quiet --elide-empty-files --prefix=engine- --suffix-format=%03d.crt \
        /etc/ssl/certs/ca-certificates.crt '/-----BEGIN CERTIFICATE-----/' '{*}'
# Without manual pages there is no place for the links that the packages make.
RUN mkdir -p /usr/share/man/man1 && apt-get update && \
    apt-get install -y --no-install-recommends maven default-jdk-headless && \
    rm -rf /var/lib/apt/lists/*
CMD ["mvn"]
