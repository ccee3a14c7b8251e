set -e
apt-get update
apt-get install -y --no-install-recommends python3 r-cran-renv

mkdir -p /srv/src/contrib
cd /srv/src/contrib
for name in one two three; do
    name=larder.$name
    mkdir $name
    printf '%s\n' "Package: $name" 'Version: 1.0' 'Title: Larder' 'Description: Larder.' 'Author: Larder' \
        'Maintainer: Larder <larder@localhost>' 'License: GPL' > $name/DESCRIPTION
    touch $name/NAMESPACE
    R CMD build $name
done
Rscript -e 'tools::write_PACKAGES(type = "source")'
