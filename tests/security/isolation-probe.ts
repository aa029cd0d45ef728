/** The kernel's numbers of the calls that a step must not get through with. */
const CALLS =
  process.arch === "arm64"
    ? { mknodat: 33, mount: 40, umount2: 39, ptrace: 117, handle: 264, open: 265, pivot: 41, hostname: 161, key: 217 }
    : {
        mknodat: 259,
        mount: 165,
        umount2: 166,
        ptrace: 101,
        handle: 303,
        open: 304,
        pivot: 155,
        hostname: 170,
        key: 248,
      };
const MORE_CALLS =
  process.arch === "arm64"
    ? {
        syslog: 116,
        bpf: 280,
        module: 105,
        settime: 170,
        swapon: 224,
        reboot: 142,
        keyctl: 219,
        unshare: 97,
        clone: 220,
      }
    : {
        syslog: 103,
        bpf: 321,
        module: 175,
        settime: 164,
        swapon: 167,
        reboot: 169,
        keyctl: 250,
        unshare: 272,
        clone: 56,
      };

/** A script for a step: calls that must be refused, with what became of each, in the file that is its argument. */
export const REFUSED_CALLS = `
use strict;
use Errno;
my ($file) = @ARGV;
open(my $facts, '>', $file) or die;
sub outcome {
  my ($name, $result) = @_;
  my $error = $result == -1 ? (grep { exists $!{$_} && $!{$_} } keys %!)[0] || "$!" : "allowed";
  print $facts "$name $error\\n";
}
# syscall takes no literals.
sub call { my ($number, @words) = @_; return syscall($number, @words) }
my $at = -100;
outcome('mknod-null', call(${CALLS.mknodat}, $at, "/node-null", 020666, (1 << 8) | 3));
outcome('mknod-disk', call(${CALLS.mknodat}, $at, "/node-disk", 060666, (254 << 8)));
my $none = 0;
outcome('mount-tmpfs', call(${CALLS.mount}, "tmpfs", "/mnt", "tmpfs", 0, $none));
outcome('mount-proc', call(${CALLS.mount}, "proc", "/mnt", "proc", 0, $none));
outcome('mount-bind', call(${CALLS.mount}, "/", "/mnt", $none, 4096, $none));
outcome('remount-sys', call(${CALLS.mount}, "none", "/proc/sys", $none, 32 | 4096, $none));
outcome('umount-sys', call(${CALLS.umount2}, "/proc/sys", 2));
outcome('ptrace-first', call(${CALLS.ptrace}, 16, 1, 0, 0));
outcome('pivot-root', call(${CALLS.pivot}, "/mnt", "/mnt"));
outcome('sethostname', call(${CALLS.hostname}, "other", 5));
my ($handle, $id) = (pack('Ll', 128, 0) . ("\\0" x 128), pack('l', 0));
my $named = call(${CALLS.handle}, $at, "/", $handle, $id, 0);
$handle = pack('LlLL', 8, 1, 2, 0) if $named == -1;
outcome('open-by-handle', call(${CALLS.open}, $at, $handle, 0));
outcome('read-kernel-log', call(${MORE_CALLS.syslog}, 3, "\\0" x 64, 64)) if $> != 0;
outcome('clear-kernel-log', call(${MORE_CALLS.syslog}, 5, $none, 0));
outcome('load-module', call(${MORE_CALLS.module}, "\\0" x 64, 64, ""));
outcome('set-clock', call(${MORE_CALLS.settime}, pack('qq', time, 0), $none));
outcome('add-key', call(${CALLS.key}, 'user', 'step', 'x', 1, -3));
outcome('session-keys', call(${MORE_CALLS.keyctl}, 0, -3, 0));
outcome('user-keys', call(${MORE_CALLS.keyctl}, 0, -4, 0));
outcome('bpf', call(${MORE_CALLS.bpf}, 0, "\\0" x 128, 128));
outcome('new-user-namespace', call(${MORE_CALLS.unshare}, 0x10000000));
outcome('clone-user-namespace', call(${MORE_CALLS.clone}, 0x10000000 | 17, 0, 0, 0, 0));
outcome('clone3', call(435, "\\0" x 88, 88));
outcome('swapon', call(${MORE_CALLS.swapon}, "/etc/passwd", 0));
outcome('reboot', call(${MORE_CALLS.reboot}, 0xfee1dead, 672274793, 0, 0));
for my $name ('environ', 'mem', 'maps', 'exe', 'cwd', 'root/', 'fd/0', 'ns/mnt', 'task/1/environ') {
  my $path = "/proc/1/$name";
  my $result = $name =~ /^(exe|cwd|fd.0)$/ ? readlink($path) : $name eq 'root/' ? opendir(my $d, $path) : open(my $f, '<', $path);
  outcome("first-$name", defined $result && $result ne '' && $result ne '0' ? 0 : -1);
}
for my $path ('/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger') {
  my $opened = open(my $f, '>', $path);
  my $wrote = $opened ? syswrite($f, "1") : undef;
  outcome("write-$path", $wrote ? 0 : -1);
}
my $c;
my $core = open($c, '<', '/proc/kcore') ? sysread($c, my $bytes, 16) : 0;
print $facts "kcore ", ($core ? "read" : "nothing"), "\\n";
`;

/** A script for a step: leaves its root as far as chroot lets it, and says what of the given paths there is outside. */
export const CHROOT_ESCAPE = `
use strict;
my ($file, @canaries) = @ARGV;
open(my $facts, '>', $file) or die;
opendir(my $root, '/') or die;
mkdir '/cage';
print $facts chroot('/cage') ? "caged\\n" : "no chroot: $!\\n";
chdir($root) or die;
chdir('..') for 1 .. 64;
chroot('.');
print $facts -e $_ ? "found $_\\n" : "no $_\\n" for @canaries;
print $facts "image\\n" if -e '/etc/debian_version';
`;

/** What of the host the probe looks for: files by path and by name, a process by id and by its words. */
export interface ProbedHost {
  readonly paths: readonly string[];
  readonly word: string;
  readonly sleeper: number;
  readonly nap: string;
}

/** A script for a step that finds out about its surroundings, each answer in a file of /facts. */
export function probeScript({ paths, word, sleeper, nap }: ProbedHost): string {
  const quoted = paths.map((path) => `'${path}'`).join(" ");
  const nested = [
    "umount /proc/sys && echo done",
    "umount -l /proc && echo done",
    "umount -l /etc/hosts && echo done",
    "mount -o remount,bind,rw /proc/sys && echo done",
    "mount -t proc proc /mnt && echo done",
    "mknod /node c 1 3 && echo done",
    "mount -t cgroup2 groups /mnt && echo done",
    `cat ${quoted}`,
  ].join("; ");
  return `mkdir /facts
for path in ${quoted}; do if [ -e "$path" ]; then echo "found $path"; else echo "no $path"; fi; done >/facts/files
find / -path /proc -prune -o -name '*${word}*' -print >/facts/found
ls /proc | grep '^[0-9]' >/facts/processes
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -a '${nap.replace(".", "[.]")}' >/facts/napping || true
(kill -KILL ${sleeper}) 2>/dev/null && echo sent >/facts/signal || echo refused >/facts/signal
ls /dev | sort >/facts/devices
find / -path /proc -prune -o '(' -type c -o -type b ')' -print >/facts/device-nodes
for path in /dev/*; do if [ ! -L "$path" ] && { [ -c "$path" ] || [ -b "$path" ]; }; then echo "\${path#/dev/}"; fi; done >/facts/device-kinds
echo "$(head -c 3 /dev/null | wc -c) $(head -c 1 /dev/urandom | wc -c)" >/facts/device-use
(: </dev/tty) 2>/dev/null && echo 'a terminal' >/facts/terminal || echo 'no terminal' >/facts/terminal
perl calls.pl /facts/calls
perl escape.pl /facts/escape ${quoted}
unshare --user --map-root-user --mount --cgroup --pid --fork sh -c "${nested}" >/facts/nested 2>&1 || true
grep ^Cap /proc/self/status >/facts/capabilities
hostname >/facts/hostname
for name in ipc mnt net pid user uts; do readlink /proc/self/ns/$name; done >/facts/namespaces
env | sort >/facts/environment
for number in $(seq 0 40); do
  [ -L /proc/$$/fd/$number ] || continue
  target=$(readlink /proc/$$/fd/$number)
  case "$target" in */install.sh) ;; *) echo "$number \${target%%:*}" >>/facts/descriptors ;; esac
done
ls /run/secrets >/facts/secrets
case "$(cat /run/secrets/token) $(cat /run/secrets/passed)" in *-file\\ *-passed) echo 'both match' ;; esac >>/facts/secrets
(echo x >/run/secrets/token) 2>/dev/null || (echo x >/run/secrets/new) 2>/dev/null || echo 'read only' >>/facts/secrets
stat -f -c %T /run/secrets >>/facts/secrets
${nap}9 &
setsid ${nap}9 >/dev/null 2>&1 &
echo started >/facts/background`;
}
