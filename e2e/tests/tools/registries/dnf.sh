set -e
apt-get update
apt-get install -y --no-install-recommends createrepo-c dnf rpm

mkdir -p /srv/packages /etc/yum.repos.d
cd /srv
for name in one two three; do
    printf '%s\n' "Name: larder-$name" 'Version: 1.0' 'Release: 1' 'Summary: larder' 'License: larder' \
        'BuildArch: noarch' '%description' '%files' > $name.spec
    rpmbuild -bb --define '_rpmdir /srv/packages' $name.spec
done
createrepo_c .
printf '%s\n' '[larder]' 'name=larder' 'baseurl=http://localhost:8000' 'gpgcheck=0' > /etc/yum.repos.d/larder.repo
