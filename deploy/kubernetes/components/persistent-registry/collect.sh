#!/bin/sh
# Drops the tags that did not change for KEEP_DAYS (an export of the same layers changes nothing), and then the manifests and layers that no tag has. Only while no
# registry runs on the same files: a push at the same time could lose layers.
set -eu
data=${DATA:-/var/lib/registry}/docker/registry/v2/repositories

# A new volume.
[ -d "$data" ] || exit 0

find "$data" -path '*/_manifests/tags/*/current/link' -mtime "+${KEEP_DAYS:-90}" | while read -r link; do
  tag=${link%/current/link}
  echo "unchanged for ${KEEP_DAYS:-90} days: ${tag#"$data"/}"
  rm -rf "$tag"
done

# Garbage that stays must not keep the registry from starting. Nothing is removed before all that is used is known.
registry garbage-collect --delete-untagged "${CONFIG:-/etc/distribution/config.yml}" ||
  echo "the collection failed; the registry starts with what is there" >&2
