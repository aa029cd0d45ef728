# Four registries over one store, on loopback, with a private authority: what one pushes, all serve.
#
#   plain      localhost:5000       http, no login
#   basic      private.test:5002    TLS, login ci / secret
#   anonymous  mcr.microsoft.com    TLS, no login; also docker.io's names
#   token      ghcr.io              TLS, bearer tokens: anyone may pull but private/*, ci / secret may push
#
# Where another instance holds a name or port, this one takes the next: COOPER_TEST_REGISTRY_* say which.

registry_home() { echo "$ENGINES/registry"; }

up_registry() {
  local home
  home=$(registry_home)
  unpack_packages trixie docker-registry
  mkdir -p "$home/data"
  # bcrypt of "secret"
  echo 'ci:$2y$05$CooperTestRegistrySaleMWy.PqGSzc.xfztj4EFYo0Ziu7ASrJ2' >"$home/htpasswd"
  choose_names "$home"
  # shellcheck source=/dev/null
  . "$home/names"
  trust_authority
  serve plain "127.0.0.1:${plain##*:}" plain none
  serve basic "$loopback.1:5002" tls basic
  serve anonymous "$loopback.2:443" tls none
  serve token "$loopback.1:5003" plain token
  if ! is_ours token-front "$here/engines.d/token-front.mjs"; then
    start_daemon token-front node "$here/engines.d/token-front.mjs" --certificates "$ENGINES/certs" \
      --listen "$loopback.3:443" --upstream "$loopback.1:5003"
  fi
  wait_for plain curl -fs "http://$plain/v2/"
  wait_for basic answers "$loopback.1" 5002
  wait_for anonymous answers "$loopback.2" 443
  wait_for token answers "$loopback.1" 5003
  wait_for token-front answers "$loopback.3" 443
  say "registries: $plain $basic $anonymous $token"
}

# Kept for as long as the instance is up, so that its names stay the same from one \`up\` to the next.
choose_names() {
  local plain basic=private.test:5002 anonymous=mcr.microsoft.com token=ghcr.io port=5000
  if [ -s "$1/names" ] && is_ours plain "$1/plain.yml"; then return; fi
  while answers 127.0.0.1 $port; do port=$((port + 1)); done
  plain=localhost:$port
  if can_claim private.test 5002; then add_host "$loopback.1" private.test
  else basic=private-$slot.test:5002; fi
  if can_claim mcr.microsoft.com 443 && can_claim registry-1.docker.io 443 && can_claim index.docker.io 443; then
    add_host "$loopback.2" "mcr.microsoft.com registry-1.docker.io index.docker.io"
  else anonymous=anonymous-$slot.test; fi
  if can_claim ghcr.io 443; then add_host "$loopback.3" ghcr.io
  else token=token-$slot.test; fi
  add_host "$loopback.1" "private-$slot.test"
  add_host "$loopback.2" "anonymous-$slot.test"
  add_host "$loopback.3" "token-$slot.test"
  printf '%s\n' "plain=$plain" "basic=$basic" "anonymous=$anonymous" "token=$token" >"$1/names"
}

# serve NAME ADDRESS tls|plain none|basic|token
serve() {
  local home file
  home=$(registry_home) file=$(registry_home)/$1.yml
  if is_ours "$1" "$file"; then return; fi
  {
    echo "version: 0.1"
    echo "log: {level: warn}"
    echo "storage: {filesystem: {rootdirectory: $home/data}, delete: {enabled: true}}"
    case $3 in
      tls) echo "http: {addr: '$2', tls: {certificate: $ENGINES/certs/server.crt, key: $ENGINES/certs/server.key}}" ;;
      plain) echo "http: {addr: '$2'}" ;;
    esac
    case $4 in
      basic) echo "auth: {htpasswd: {realm: cooper, path: $home/htpasswd}}" ;;
      token) echo "auth: {token: {realm: 'https://$token/token', service: '$token', issuer: cooper, rootcertbundle: $ENGINES/certs/ca.crt}}" ;;
    esac
  } >"$file"
  start_daemon "$1" "$ENGINES/suites/trixie/usr/bin/docker-registry" serve "$file"
}

make_certificates() {
  local certs=$ENGINES/certs names
  mkdir -p "$certs"
  if [ ! -s "$certs/server.crt" ]; then
    names=localhost,ghcr.io,mcr.microsoft.com,docker.io,registry-1.docker.io,index.docker.io,private.test
    names=DNS:${names//,/,DNS:},DNS:private-$slot.test,DNS:anonymous-$slot.test,DNS:token-$slot.test,IP:127.0.0.1
    (
      cd "$certs"
      new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
      openssl req -x509 "${new_key[@]}" -keyout ca.key -out ca.crt -days 3650 -subj "/CN=cooper test authority $slot" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
      openssl req "${new_key[@]}" -keyout server.key -out server.csr -subj "/CN=cooper test registry"
      printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >extensions
      openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.partial -days 3650 -extfile extensions
      mv server.partial server.crt
    ) 2>"$ENGINES/log/certificates" || fail "could not make certificates: see $ENGINES/log/certificates"
  fi
  cat /etc/ssl/certs/ca-certificates.crt "$certs/ca.crt" >"$certs/bundle.crt"
}

# podman looks here even when SSL_CERT_FILE is not in its environment.
trust_authority() {
  local name
  for name in docker.io registry-1.docker.io mcr.microsoft.com ghcr.io private.test:5002 \
    "private-$slot.test:5002" "anonymous-$slot.test" "token-$slot.test"; do
    mkdir -p "/etc/containers/certs.d/$name"
    cp "$ENGINES/certs/ca.crt" "/etc/containers/certs.d/$name/cooper-dev-$slot.crt"
  done
}

environment_registry() {
  local home
  home=$(registry_home)
  [ -s "$home/names" ] || return 0
  sed 's/^\(.*\)=\(.*\)/export COOPER_TEST_REGISTRY_\U\1\E=\2/' "$home/names"
}

down_registry() {
  local name home
  home=$(registry_home)
  stop_daemon token-front "$here/engines.d/token-front.mjs"
  for name in plain basic anonymous token; do stop_daemon "$name" "$home/$name.yml"; done
  rm -f "$home/names" /etc/containers/certs.d/*/"cooper-dev-$slot.crt"
  rmdir /etc/containers/certs.d/* 2>/dev/null || true
  drop_hosts "$mark\$"
}
