#!/usr/bin/env bash
# Runs the server as deploy/compose.yaml does, on a machine without containers: as a user that is not root, without capabilities
# and new privileges, over a file system that cannot be written but for /tmp, in a network of its own. Needs root to set that up.
#
#   pnpm build && pnpm --filter @qoq-med/cli deploy --prod --legacy /srv/qoq-app
#   deploy/rehearse.sh /srv/qoq-app KEYS_FOLDER COMMAND…     (COMMAND runs beside the server, with KEYS_FOLDER and the same rights)
set -euo pipefail
app=$(realpath "$1") keys=$(realpath "$2")
shift 2
export app keys node=${QOQ_NODE:-$(command -v node)} uid=${QOQ_UID:-1000}

unshare --mount --net --pid --fork --mount-proc bash -euo pipefail -s -- "$@" <<'INSIDE'
ip link set lo up
mount --make-rprivate /
# The name of every mount but /proc, the last first.
tac /proc/self/mounts | cut -d' ' -f2 | grep -v '^/proc' | while read -r at; do
  mount -o remount,bind,ro "$(printf '%b' "$at")" 2> /dev/null || echo "left as it is: $at" >&2
done
mount -t tmpfs -o size=1g,mode=1777,noexec,nosuid,nodev tmpfs /tmp

confined=(setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all env -i
  "PATH=$(dirname "$node"):/usr/bin:/bin" HOME=/nonexistent NODE_ENV=production QOQ_CACHE_DIR=/tmp/cache "QOQ_KEYS=$keys/keys.json")

"${confined[@]}" node "$app/dist/bin.js" serve --host 0.0.0.0 --port 8080 --keys "$keys/keys.json" &
server=$!
for _ in $(seq 120); do
  "${confined[@]}" node -e "fetch('http://127.0.0.1:8080/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))" && break
  kill -0 "$server"
  sleep 1
done
"${confined[@]}" "$@"
echo "what lies in /tmp: $(find /tmp -mindepth 1 | wc -l) entries"
kill -INT "$server"
wait "$server" || echo "the server ended with $?"
INSIDE
