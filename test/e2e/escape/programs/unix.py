"""Attempts to talk to a deputy over a local socket. Escaped means that the deputy answered with its token."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p


def address(path):
    return "\0" + path[1:] if path.startswith("@") else path


def heard(connection):
    data = connection.recv(4096)
    if p.token().encode() in data:
        return "the deputy answered"
    raise p.Refused("answer without token")


def stream(path, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as connection:
        connection.settimeout(2)
        connection.connect(address(path))
        connection.sendall(b"GET /containers/json?probe=%s HTTP/1.1\r\nHost: d\r\n\r\n" % p.name().encode())
        return heard(connection)


def datagram(path, how):
    """`connect`, `sendto`, or one end of a socketpair that is aimed anew (it was never given an address)."""
    if how == "socketpair":
        connection, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    else:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        connection.bind("")
    connection.settimeout(2)
    message = b"probe=" + p.name().encode()
    if how == "sendto":
        connection.sendto(message, address(path))
    else:
        connection.connect(address(path))
        connection.send(message)
    if how == "socketpair":
        # Its peer has no name to answer to; that the kernel took the message is the escape.
        return "delivered"
    return heard(connection)


def link(path, how):
    """Another name for the same socket, made by ourselves, beside it and elsewhere."""
    other = os.path.join(os.environ["HOME"], "link-%d" % os.getpid())
    (os.symlink if how == "symbolic" else os.link)(path, other)
    return stream(other)


def renamed(path):
    """Moves the socket's folder out of the cover and uses it there."""
    folder = os.path.dirname(path)
    os.rename(folder, folder + ".moved")
    try:
        return stream(os.path.join(folder + ".moved", os.path.basename(path)))
    finally:
        os.rename(folder + ".moved", folder)


def through_self(path, entry):
    """The same file by way of /proc/self."""
    return stream("/proc/self/%s%s" % (entry, path))


def beside(path, word):
    """Another name in its folder, not yet taken by the attempt of the other side."""
    return os.path.join(os.path.dirname(path), "%s-%s-%s" % (p.name().replace(" ", ""), word, os.environ["PROBE_SIDE"]))


def seqpacket(path):
    return stream(path, socket.SOCK_SEQPACKET)


def relative(path):
    os.chdir(os.path.dirname(path))
    return stream("./" + os.path.basename(path))


def chain(path):
    """A symbolic link to a symbolic link, one of them absolute."""
    one, two = beside(path, "one"), beside(path, "two")
    os.symlink(path, one)
    os.symlink(os.path.basename(one), two)
    return stream(two)


def moved(path):
    """The file itself under another name, over one of the command's own."""
    own = beside(path, "own")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(own)
        listener.listen()
        os.rename(path, own)
        return stream(own)


def held(path, how):
    """By a descriptor of its folder, or of the file itself."""
    if how == "folder":
        return stream("/proc/self/fd/%d/%s" % (os.open(os.path.dirname(path), os.O_RDONLY), os.path.basename(path)))
    return stream("/proc/self/fd/%d" % os.open(path, os.O_PATH))


def nested(path):
    """From user, mount and network namespaces of one's own, by a bind mount of the folder."""
    user, group = os.geteuid(), os.getegid()
    if p.LIBC.unshare(0x10000000 | 0x20000 | 0x40000000) < 0:
        raise p.Unable("no namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % user), ("gid_map", "0 %d 1" % group)):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
    folder = beside(path, "b")
    os.mkdir(folder)
    if p.LIBC.mount(os.path.dirname(path).encode(), folder.encode(), None, 4096 | 16384, None) < 0:
        raise p.Unable("no bind mount")
    return stream(os.path.join(folder, os.path.basename(path)))


def wide(path):
    """High halves set in the arguments of which the kernel reads the low ones."""
    number = {"x86_64": 42, "aarch64": 203}[os.uname().machine]
    with socket.socket(socket.AF_UNIX) as connection:
        name = b"\1\0" + path.encode() + b"\0"
        p.syscall(number, connection.fileno() | 0x7ead << 32, name, len(name) | 0x7ead << 32)
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.settimeout(2)
        return heard(connection)


def race(path, program, what):
    """Another thread exchanges what the call was given: see race.c."""
    code = subprocess.run([program, what, path, beside(path, "own")], check=False).returncode
    if code == 1:
        raise p.Refused("never reached")
    if code != 0:
        raise p.Unable("the race could not be run: %d" % code)
    return "reached"


def late(path, folder, how="stream", *more):
    """Says that it runs, and connects only when told that the daemon is there."""
    import signal
    import time
    signal.alarm(45)
    open(os.path.join(folder, "ready-" + p.name().replace(" ", "-")), "w").close()
    for _ in range(400):
        if os.path.exists(os.path.join(folder, "go")):
            signal.alarm(12)
            return ATTEMPTS[how](path, *more)
        time.sleep(0.1)
    raise p.Unable("never told to go")


def listed(marker):
    """Whether the host's sockets can be enumerated at all."""
    with open("/proc/net/unix", encoding="latin1") as file:
        if marker in file.read():
            return "seen in /proc/net/unix"
    raise p.Refused("not listed")


ATTEMPTS = {f.__name__: f for f in (stream, datagram, link, renamed, through_self, late, listed, seqpacket, relative,
                                    chain, moved, held, nested, wide, race)}
p.run(ATTEMPTS)
