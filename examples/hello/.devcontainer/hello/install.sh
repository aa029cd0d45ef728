#!/bin/sh
# The option `greeting` arrives as $GREETING. Runs as root, in the folder of this Feature.
set -eu

mkdir -p /usr/local/share/hello /usr/local/bin
printf '%s\n' "$GREETING" >/usr/local/share/hello/greeting

# Thanks to installsAfter, ./color is there already if it is installed at all.
if command -v color >/dev/null; then color >/usr/local/share/hello/color; fi

cat >/usr/local/bin/hello <<'SCRIPT'
#!/bin/sh
printf '%s, %s!\n' "$(cat /usr/local/share/hello/greeting)" "$(id -un)"
[ ! -e /usr/local/share/hello/color ] || printf 'The color of the day: %s\n' "$(cat /usr/local/share/hello/color)"
SCRIPT
chmod 755 /usr/local/bin/hello
