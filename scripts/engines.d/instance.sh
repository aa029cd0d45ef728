# One instance: its slot (a small number from which its addresses follow), its lock, its daemons and its lines in /etc/hosts.

say() { printf '%4ss  %s\n' "$SECONDS" "$1" >&2; }
fail() { printf 'engines: %s\n' "$1" >&2; exit 1; }

# Takes the instance's lock for the life of this script, and sets $slot, $mark, $bridge, $loopback, $container_net, $address_pool.
enter_instance() {
  mkdir -p "$ENGINES/run" "$ENGINES/log"
  exec 9>"$ENGINES/lock"
  flock -w 300 9 || fail "another run holds $ENGINES/lock"
  [ -s "$ENGINES/slot" ] || free_slot >"$ENGINES/slot"
  slot=$(cat "$ENGINES/slot")
  mark="# cooper-dev-$slot"
  bridge=cooper$slot
  loopback=127.77.$slot
  container_net=10.231.$slot
  address_pool=10.240.$((slot * 4)).0/22
}

# The first of 64 slots, from one that the directory's name picks, whose bridge and addresses nobody uses.
free_slot() {
  local first n try
  first=$(($(printf '%s' "$ENGINES" | cksum | cut -d' ' -f1) % 64))
  for n in $(seq 0 63); do
    try=$(((first + n) % 64))
    ip link show "cooper$try" >/dev/null 2>&1 && continue
    ip -4 addr 2>/dev/null | grep -q "inet 10\.231\.$try\." && continue
    grep -q "# cooper-dev-$try\$" /etc/hosts && continue
    echo "$try"
    return
  done
  fail "all 64 slots are taken: see \`ip link\` and /etc/hosts"
}

# is_ours NAME WORD: the process in run/NAME.pid lives and has WORD in its command line, so it is the one that we started.
is_ours() {
  local pid
  pid=$(cat "$ENGINES/run/$1.pid" 2>/dev/null) && [ -n "$pid" ] &&
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2"
}

# start_daemon NAME COMMAND…: in a session of its own, without our lock, its output in log/NAME.
start_daemon() {
  local name=$1
  shift
  setsid "$@" >"$ENGINES/log/$name" 2>&1 </dev/null 9>&- &
  echo $! >"$ENGINES/run/$name.pid"
}

# stop_daemon NAME WORD: nothing is killed that is_ours does not vouch for.
stop_daemon() {
  local pid
  if is_ours "$1" "$2"; then
    pid=$(cat "$ENGINES/run/$1.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 200); do is_ours "$1" "$2" || break; sleep .1; done
    if is_ours "$1" "$2"; then kill -9 "$pid" 2>/dev/null || true; fi
    say "stopped $1"
  fi
  rm -f "$ENGINES/run/$1.pid"
}

# wait_for NAME COMMAND…: up to 30 s, or the end of the daemon's log says why not.
wait_for() {
  local name=$1
  shift
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    kill -0 "$(cat "$ENGINES/run/$name.pid")" 2>/dev/null || break
    sleep .1
  done
  tail -n 15 "$ENGINES/log/$name" >&2
  fail "$name did not come up; the end of $ENGINES/log/$name is above"
}

answers() { timeout 2 bash -c ": </dev/tcp/$1/$2" 2>/dev/null; }

add_host() { grep -qF "$1 $2 $mark" /etc/hosts || echo "$1 $2 $mark" >>/etc/hosts; }

# In place, not by rename: /etc/hosts is often a bind mount.
drop_hosts() {
  local kept
  kept=$(grep -v -- "$1" /etc/hosts || true)
  printf '%s\n' "$kept" >/etc/hosts
}

# can_claim NAME PORT: nobody has NAME in /etc/hosts, or only a test instance that no longer answers at PORT.
can_claim() {
  local line address
  while read -r line; do
    case $line in *"$mark") continue ;; esac
    address=${line%% *}
    if answers "$address" "$2" || [[ $line != *"# cooper-"* ]]; then return 1; fi
    drop_hosts "^$line\$"
  done < <(grep -E "^[^#]*[[:space:]]${1//./\\.}([[:space:]]|\$)" /etc/hosts || true)
}

purge_instance() {
  local mounts
  awk -v dir="$ENGINES/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
  mounts=$(awk -v dir="$ENGINES/" 'index($2, dir) == 1' /proc/mounts)
  [ -z "$mounts" ] || fail "still mounted below $ENGINES, so nothing was deleted: $mounts"
  rm -rf "$ENGINES"
  say "purged $ENGINES"
}
