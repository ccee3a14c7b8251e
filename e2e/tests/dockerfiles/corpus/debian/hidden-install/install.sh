#!/bin/sh
exec apt-get install -y --no-install-recommends "$@"
