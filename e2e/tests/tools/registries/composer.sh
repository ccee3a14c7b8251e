set -e
apt-get update
apt-get install -y --no-install-recommends composer python3 unzip

mkdir -p /srv/dist
cd /srv
for name in one two three; do
    echo "{\"name\": \"larder/$name\"}" > composer.json
    python3 -m zipfile --create dist/$name-1.0.zip composer.json
    package="{\"name\": \"larder/$name\", \"version\": \"1.0\", \"dist\": {\"type\": \"zip\", \"url\": \"http://localhost:8000/dist/$name-1.0.zip\"}}"
    packages="${packages:+$packages, }\"larder/$name\": {\"1.0\": $package}"
done
echo "{\"packages\": {$packages}}" > packages.json
