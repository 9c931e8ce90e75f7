#!/usr/bin/env bash
# What the container file promises, without a builder: the server as a user without rights, on a root
# that is read-only, in a mount namespace of its own. Needs root, Linux, and an environment that holds the
# package with the extra server and the page:
#
#   scripts/try_container.sh VENV PICTURE
set -euo pipefail

venv=$(realpath "$1") picture=$(realpath "$2")
if [ "${3:-}" != inside ]; then
    exec unshare --mount --propagation private bash "$0" "$venv" "$picture" inside
fi

user=10001 port=8123 root=$(mktemp -d)
python=$(dirname "$(dirname "$(readlink -f "$venv/bin/python")")") # may be where only root can look
mount --bind / "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/mnt"
mkdir -m 755 "$root"/mnt/{data,cache,venv,python}
chown $user "$root"/mnt/{data,cache}
chmod 755 "$root/mnt"
for name in venv python; do
    mount --bind "${!name}" "$root/mnt/$name"
    mount -o remount,bind,ro "$root/mnt/$name"
done
packages=$(cd "$venv" && echo lib/python3*/site-packages)

within() {
    chroot --userspec=$user:$user "$root" env -i PATH=/usr/bin:/bin HOME=/nonexistent \
        PYTHONPATH="/mnt/venv/$packages" LD_LIBRARY_PATH=/mnt/python/lib NUMBA_CACHE_DIR=/mnt/cache VITRUVIAN_SERVER_HOST=0.0.0.0 \
        VITRUVIAN_SERVER_PORT=$port VITRUVIAN_SERVER_DATA=/mnt/data "$@"
}
ask() { within /mnt/python/bin/python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/$1', timeout=4)"; }

if within touch /written 2>/dev/null; then
    echo "the root can be written"
    exit 1
fi
within /mnt/python/bin/python3 -m vitruvian warm-up
mount --bind "$root/mnt/cache" "$root/mnt/cache"
mount -o remount,bind,ro "$root/mnt/cache"
within /mnt/python/bin/python3 -m vitruvian serve &
for path in healthz readyz; do
    for _ in $(seq 120); do ask $path 2>/dev/null && break || sleep 1; done
    ask $path
    echo "/$path answers"
done
curl --fail --silent --show-error -F "image=@$picture" "http://127.0.0.1:$port/Upload"
echo
kill -TERM $!
wait $!
echo "ended with 0"
