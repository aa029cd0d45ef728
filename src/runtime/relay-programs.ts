/** The exit code of a relay that could not connect. */
export const NOTHING_LISTENS = 7;

// Each connects to the first of the hosts that accepts, on the port that is its first argument, and speaks in frames on stdin and
// stdout (`relay-framing.ts`). The end of stdin itself means that nobody is there any more: the relay ends at once.

/** The relay in Perl, with nothing that perl-base lacks. */
export const PERL_RELAY = `use Socket qw(:DEFAULT getaddrinfo IPPROTO_TCP TCP_NODELAY); use Fcntl; use Errno qw(EAGAIN EINTR);
$SIG{PIPE} = "IGNORE";
my ($port, @hosts) = @ARGV;
my $server;
HOST: for my $host (@hosts) {
  my ($error, @found) = getaddrinfo($host, $port, {socktype => SOCK_STREAM});
  for my $found (@found) {
    socket(my $socket, $found->{family}, SOCK_STREAM, 0) or next;
    connect($socket, $found->{addr}) or next;
    $server = $socket;
    last HOST;
  }
}
exit ${NOTHING_LISTENS} unless $server;
setsockopt($server, IPPROTO_TCP, TCP_NODELAY, 1);
fcntl($_, F_SETFL, O_NONBLOCK) for $server, *STDOUT;
my ($in, $up, $down, $left, $ended, $shut, $gone, $over, $broken, $failed) = ("", "", "", 0, 0, 0, 0, 0, 0, 0);
my ($fd, $limit) = (fileno($server), 1 << 18);
my $refused = sub { $! != EAGAIN && $! != EINTR };
for (;;) {
  my ($read, $write) = ("", "");
  vec($read, 0, 1) = 1 if !$gone && length $up < $limit;
  vec($write, $fd, 1) = 1 if length $up;
  vec($read, $fd, 1) = 1 if !$over && !$failed && length $down < $limit;
  vec($write, 1, 1) = 1 if length $down;
  next if select($read, $write, undef, undef) < 1;
  if (vec($read, 0, 1)) {
    my $count = sysread(STDIN, $in, 65536, length $in);
    next if !defined $count && !&$refused;
    exit unless $count || $ended && $over;
    $gone = 1 unless $count;
    while (length $in) {
      if ($left) { my $part = substr($in, 0, $left, ""); $left -= length $part; $up .= $part unless $broken }
      elsif (length $in >= 4) { $left = unpack "N", substr($in, 0, 4, ""); $ended = 1 unless $left }
      else { last }
    }
  }
  if (vec($write, $fd, 1)) {
    my $count = syswrite($server, $up);
    if (defined $count) { substr($up, 0, $count, "") } elsif (&$refused) { $broken = 1; $up = "" }
  }
  if (vec($read, $fd, 1)) {
    my $count = sysread($server, my $bytes, 65536);
    if (defined $count) { $down .= pack("N", $count) . $bytes; $over = 1 unless $count } elsif (&$refused) { $failed = 1 }
  }
  if (vec($write, 1, 1)) {
    my $count = syswrite(STDOUT, $down);
    if (defined $count) { substr($down, 0, $count, "") } elsif (&$refused) { exit 1 }
  }
  if ($ended && !$shut && !length $up) { shutdown($server, 1); $shut = 1 }
  exit if $gone && !length $up;
  exit 1 if !length $down && ($failed || $over && $broken);
}`;

/** The relay in Python 3. */
export const PYTHON_RELAY = `import os, socket, struct, sys, threading
port, hosts = int(sys.argv[1]), sys.argv[2:]
server = None
for host in hosts:
    try:
        server = socket.create_connection((host, port))
        break
    except OSError:
        pass
if server is None:
    os._exit(${NOTHING_LISTENS})
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
broken = over = False
def answer():
    global over
    try:
        while not over:
            data = server.recv(65536)
            frame = struct.pack(">I", len(data)) + data
            while frame:
                frame = frame[os.write(1, frame):]
            over = not data
    except OSError:
        os._exit(1)
    if broken:
        os._exit(1)
threading.Thread(target=answer, daemon=True).start()
while True:
    head = sys.stdin.buffer.read(4)
    size = struct.unpack(">I", head)[0] if len(head) == 4 else -1
    data = sys.stdin.buffer.read(size) if size > 0 else b""
    if len(data) != size:
        os._exit(0)
    try:
        if broken:
            pass
        elif size:
            server.sendall(data)
        else:
            server.shutdown(socket.SHUT_WR)
    except OSError:
        broken = True
        if over:
            os._exit(1)`;

/** The relay in Ruby. */
export const RUBY_RELAY = `require "socket"
port, *hosts = ARGV
server = nil
hosts.each do |host|
  begin
    server = Socket.tcp(host, port)
    break
  rescue SystemCallError, SocketError
  end
end
exit! ${NOTHING_LISTENS} unless server
server.setsockopt(:TCP, :NODELAY, 1)
[$stdin, $stdout, server].each(&:binmode)
broken = over = false
Thread.new do
  begin
    until over
      data = begin
        server.readpartial(65536)
      rescue EOFError
        "".b
      end
      frame = [data.bytesize].pack("N") + data
      frame = frame.byteslice($stdout.syswrite(frame)..) until frame.empty?
      over = data.empty?
    end
  rescue SystemCallError, IOError
    exit! 1
  end
  exit! 1 if broken
end
loop do
  head = $stdin.read(4)
  exit! 0 unless head && head.bytesize == 4
  size = head.unpack1("N")
  data = size > 0 ? $stdin.read(size) : ""
  exit! 0 unless data && data.bytesize == size
  begin
    next if broken
    size > 0 ? server.write(data) : server.shutdown(:WR)
  rescue SystemCallError, IOError
    broken = true
    exit! 1 if over
  end
end`;

/** The relay in Node.js. */
export const NODE_RELAY = `const fs = require("fs"), net = require("net");
const [port, ...hosts] = process.argv.slice(1);
let rest = Buffer.alloc(0), left = 0, ended = false, over = false, said = Promise.resolve();
const put = (frame, done) => fs.write(1, frame, (error, count) => {
  if (error) process.exit(1);
  if (count < frame.length) put(frame.subarray(count), done); else done();
});
const say = (data) => said = said.then(() => new Promise((done) => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  put(Buffer.concat([head, data]), done);
}));
const relay = (server) => {
  server.setNoDelay(true);
  server.on("data", (data) => { server.pause(); say(data).then(() => server.resume()); });
  server.on("end", () => { over = true; say(Buffer.alloc(0)); });
  server.on("error", () => {});
  server.on("close", () => said.then(() => process.exit(over ? 0 : 1)));
  process.stdin.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    let free = true;
    while (left > 0 ? rest.length > 0 : rest.length >= 4) {
      if (left > 0) {
        const part = rest.subarray(0, left);
        left -= part.length;
        rest = rest.subarray(part.length);
        free = server.write(part);
      } else {
        left = rest.readUInt32BE(0);
        rest = rest.subarray(4);
        if (left === 0) { ended = true; server.end(); }
      }
    }
    if (!free) { process.stdin.pause(); server.once("drain", () => process.stdin.resume()); }
  });
  process.stdin.on("end", () => { if (!ended || !over) process.exit(0); });
};
const attempt = () => {
  if (hosts.length === 0) process.exit(${NOTHING_LISTENS});
  const socket = net.connect({ host: hosts.shift(), port: Number(port), allowHalfOpen: true });
  socket.once("error", attempt);
  socket.once("connect", () => { socket.off("error", attempt); relay(socket); });
};
attempt();`;
