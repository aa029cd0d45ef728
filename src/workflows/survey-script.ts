/**
 * Run once per start of a container, as root where that is possible, with the remote user, the folder of markers, and the container's
 * own HOME and SHELL as arguments and the lines for /etc/environment as input. Prints the user's passwd entry, whether HOME is
 * missing, the first usable shell, whether login shells keep the container's PATH, and `end`. Running it again changes nothing.
 */
export const surveyScript = `
user=$1 data=$2 home=$3 shell=$4
entry=
if command -v getent >/dev/null 2>&1; then entry=$(getent passwd "$user" 2>/dev/null); fi
if [ -z "$entry" ] && [ -r /etc/passwd ]; then
  while IFS=: read -r name password uid gid text folder login || [ -n "$name" ]; do
    if [ "$name" = "$user" ]; then entry=$name:$password:$uid:$gid:$text:$folder:$login; break; fi
    if [ "$uid" = "$user" ] && [ -z "$entry" ]; then entry=$name:$password:$uid:$gid:$text:$folder:$login; fi
  done </etc/passwd
fi
printf 'entry:%s\\n' "$entry"
if [ -n "$home" ] && [ ! -e "$home" ]; then echo home:absent; fi
for candidate in "$shell" "\${entry##*:}" /bin/sh; do
  case \${candidate##*/} in
    '' | nologin | false) ;;
    *) if [ -x "$candidate" ]; then printf 'shell:%s\\n' "$candidate"; break; fi ;;
  esac
done
claim() { mkdir -p "$data" && (set -C; : >"$data/$1"); } 2>/dev/null
if claim .patchEtcEnvironmentMarker; then { echo; cat; } >>/etc/environment; fi 2>/dev/null
if claim .patchEtcProfileMarker && [ -f /etc/profile ]; then
  sed -i -E 's/((^|[[:space:]])PATH=)([^$;#&|]*)$/\\1\${PATH:-\\3}/' /etc/profile 2>/dev/null || rm -f "$data/.patchEtcProfileMarker"
fi
if [ -e "$data/.patchEtcProfileMarker" ]; then echo profile:patched; fi
echo end
`;
