"""Attempts to talk to a deputy over a local socket. Escaped means that the deputy answered with its token."""
import os
import socket
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


def stream(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
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


def late(path, folder):
    """Says that it runs, and connects only when told that the daemon is there."""
    import time
    open(os.path.join(folder, "ready-" + p.name().replace(" ", "-")), "w").close()
    for _ in range(100):
        if os.path.exists(os.path.join(folder, "go")):
            return stream(path)
        time.sleep(0.1)
    raise p.Unable("never told to go")


def listed(marker):
    """Whether the host's sockets can be enumerated at all."""
    with open("/proc/net/unix", encoding="latin1") as file:
        if marker in file.read():
            return "seen in /proc/net/unix"
    raise p.Refused("not listed")


p.run({f.__name__: f for f in (stream, datagram, link, renamed, through_self, late, listed)})
