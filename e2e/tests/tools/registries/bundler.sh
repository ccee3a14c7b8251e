set -e
apt-get update
apt-get install -y --no-install-recommends bundler python3

mkdir -p /srv/gems /srv/info
cd /srv
echo --- > versions
for name in one two three; do
    name=larder-$name
    echo "Gem::Specification.new('$name', '1.0') { |gem| gem.author = gem.summary = 'larder' }" > $name.gemspec
    gem build --output gems/$name-1.0.gem $name.gemspec
    printf -- '---\n1.0 |checksum:%s\n' "$(sha256sum < gems/$name-1.0.gem | cut -d ' ' -f 1)" > info/$name
    echo "$name 1.0 $(md5sum < info/$name | cut -d ' ' -f 1)" >> versions
done
