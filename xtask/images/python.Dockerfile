# name: python:3.13-slim
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        python3 python3-pip python3-venv && rm -rf /var/lib/apt/lists/*
# As in the official image: `python` and `pip` in /usr/local/bin, packages in site-packages.
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && \
    ln -s /usr/bin/python3 /usr/local/bin/python && \
    ln -s /usr/bin/python3 /usr/local/bin/python3 && \
    ln -s /usr/bin/pip3 /usr/local/bin/pip && \
    mkdir -p /usr/local/lib/python3.13/site-packages && \
    rm -rf /usr/local/lib/python3.13/dist-packages && \
    ln -s site-packages /usr/local/lib/python3.13/dist-packages
CMD ["python3"]
