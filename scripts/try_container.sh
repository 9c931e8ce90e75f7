#!/usr/bin/env bash
# What the container file promises, without a builder: the server as a user without rights, on a root
# that is read-only, in a mount namespace of its own. Needs root, Linux, and an environment that holds the
# package with the extra server and the page:
#
#   scripts/try_container.sh VENV PICTURE
set -euo pipefail

venv=$(realpath "$1") picture=$(realpath "$2")
if [ $# -lt 3 ]; then
    root=$(mktemp -d)
    trap 'rmdir "$root"' EXIT
    unshare --mount --propagation private bash "$0" "$venv" "$picture" "$root"
    exit
fi

user=10001 port=8123 root=$3
base=$(dirname "$(dirname "$(readlink -f "$venv/bin/python")")") # may be where only root can look
mount --bind / "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/mnt"
mkdir -m 755 "$root"/mnt/{data,cache,venv,python}
chown $user "$root"/mnt/{data,cache}
chmod 755 "$root/mnt"
mount --bind "$venv" "$root/mnt/venv"
mount --bind "$base" "$root/mnt/python"
for name in venv python; do mount -o remount,bind,ro "$root/mnt/$name"; done
packages=$(cd "$venv" && echo lib/python3*/site-packages)

inside=(
    chroot --userspec=$user:$user "$root" env -i PATH=/usr/bin:/bin HOME=/nonexistent
    PYTHONPATH="/mnt/venv/$packages" LD_LIBRARY_PATH=/mnt/python/lib NUMBA_CACHE_DIR=/mnt/cache
    VITRUVIAN_SERVER_HOST=0.0.0.0 VITRUVIAN_SERVER_PORT=$port VITRUVIAN_SERVER_DATA=/mnt/data
)
python=("${inside[@]}" /mnt/python/bin/python3)
ask() {
    "${python[@]}" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/$1', timeout=4)"
}

if "${inside[@]}" touch /written 2>/dev/null; then
    echo "the root can be written"
    exit 1
fi
"${python[@]}" -m vitruvian warm-up
mount --bind "$root/mnt/cache" "$root/mnt/cache"
mount -o remount,bind,ro "$root/mnt/cache"
"${python[@]}" -m vitruvian serve &
for path in healthz readyz; do
    for _ in $(seq 120); do ask $path 2>/dev/null && break || sleep 1; done
    ask $path
    echo "/$path answers"
done
curl --fail --silent --show-error -F "image=@$picture" "http://127.0.0.1:$port/Upload"
echo
kill -TERM $!
wait $! # with 0, or the script ends here
echo "ended with 0"
