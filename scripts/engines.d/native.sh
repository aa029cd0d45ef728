# What cooper's own engine takes, for whoever is not root; there is nothing to start.

up_native() {
  local program
  install_packages uidmap util-linux passwd
  for program in unshare setpriv newuidmap newgidmap useradd; do
    command -v "$program" >/dev/null || fail "cannot find $program, which a package has just brought"
  done
  unshare --user --map-root-user --mount true ||
    fail "cannot make user namespaces: see sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone"
  say "native: $(unshare --version)"
}

down_native() { :; }
