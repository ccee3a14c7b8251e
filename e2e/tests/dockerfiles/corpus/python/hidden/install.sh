#!/bin/sh
set -e
exec pip install --no-compile "$@" -r requirements.txt
