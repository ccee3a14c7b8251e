# name: rust:1-cross
FROM rust:1-slim
# Rust's standard library for arm64, and a linker; with rustup it would be `rustup target add`.
RUN dpkg --add-architecture arm64 && apt-get update && \
    apt-get install -y --no-install-recommends \
        libstd-rust-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross && \
    rm -rf /var/lib/apt/lists/*
