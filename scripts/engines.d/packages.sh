# Debian packages: of this system, installed; of a later suite, unpacked beside the system.

# The mirror that apt is set up with.
mirror() {
  local site
  site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | sed -n 1p)
  [ -n "$site" ] || fail "apt has no package source: see /etc/apt/sources.list"
  echo "$site"
}

install_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  apt-get update -q >"$ENGINES/log/apt" 2>&1 &&
    apt-get install -y -q --no-install-recommends "${missing[@]}" >>"$ENGINES/log/apt" 2>&1 ||
    { tail -n 15 "$ENGINES/log/apt" >&2; fail "could not install ${missing[*]}; the end of $ENGINES/log/apt is above"; }
  say "installed ${missing[*]}"
}

# unpack_packages SUITE[:ARCHITECTURE] PACKAGE…: into $(suite_root SUITE[:ARCHITECTURE]). Works for what a later suite links against
# an older glibc: Docker, buildx, Compose and the registry need 2.34; runc and podman need 2.38, so those two are this system's.
suite_root() { echo "$ENGINES/suites/${1/:/-}"; }
unpack_packages() {
  local suite=${1%:*} architecture root apt package options
  case $1 in *:*) architecture=${1#*:} ;; *) architecture=$(dpkg --print-architecture) ;; esac
  root=$(suite_root "$1") apt=$ENGINES/apt/$suite-$architecture
  shift
  mkdir -p "$root" "$apt"/{lists/partial,archives/partial,debs}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$apt/sources.list"
  options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives" -o Acquire::Languages=none
    -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture")
  for package in "$@"; do
    if [ -e "$apt/unpacked-$package" ]; then continue; fi
    # A list older than a day may name versions that the mirror has dropped since.
    [ -n "$(find "$apt/lists" -name '*Packages*' -mmin -1440)" ] ||
      apt-get update "${options[@]}" >"$ENGINES/log/apt-$suite" 2>&1 || fail "cannot read the package list of $suite: see $ENGINES/log/apt-$suite"
    rm -f "$apt/debs/${package}_"*.deb
    (cd "$apt/debs" && apt-get download "${options[@]}" "$package") >>"$ENGINES/log/apt-$suite" 2>&1 ||
      fail "cannot download $package from $suite: see $ENGINES/log/apt-$suite"
    dpkg -x "$apt/debs/${package}_"*.deb "$root"
    touch "$apt/unpacked-$package"
    say "unpacked $(basename "$apt/debs/${package}_"*.deb)"
  done
}
