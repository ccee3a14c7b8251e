#!/bin/sh
# Ends when no build runs on this replica. Kubernetes runs it before it tells buildkitd to stop, and takes the
# replica out of its Services at the same time; SETTLE is how long that may take to be known everywhere.
sleep "${SETTLE:-10}"
while builds=$(buildctl debug histories) && echo "$builds" | grep -q '^STARTED'; do
  sleep 2
done
