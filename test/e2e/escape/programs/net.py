"""Direct network attempts. Escaped means: the sink's token came back, or the kernel gave what it must not."""
import fcntl
import os
import socket
import struct
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

WAIT = 1.5


def answered(data, otherwise):
    if p.token().encode() in data:
        return "token came back"
    raise p.Refused("%s: %s" % (otherwise, data[:160].decode("latin1")) if data else otherwise)


def read_all(connection):
    data = b""
    try:
        while len(data) < 65536:
            piece = connection.recv(4096)
            if not piece:
                break
            data += piece
            if b"x-gate-" in data.lower() or p.token().encode() in data:
                break
    except (TimeoutError, ConnectionResetError):
        pass
    return data


def connected(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(WAIT)
    connection.connect((address, int(port)))
    return connection


def tcp(address, port):
    with connected(address, port) as connection:
        connection.sendall(b"\x01raw probe=%s\n" % p.name().encode())
        return answered(read_all(connection), "closed")


def http(address, port, host):
    with connected(address, port) as connection:
        connection.sendall(("GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (p.name().replace(" ", "-"), host)).encode())
        return answered(read_all(connection), "answer")


def tls(address, port, sni, host):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with context.wrap_socket(connected(address, port), server_hostname=sni or None) as connection:
            connection.sendall(("GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (p.name().replace(" ", "-"), host)).encode())
            return answered(read_all(connection), "answer")
    except ssl.SSLError as error:
        raise p.Refused("tls %s" % error.reason) from error


def udp(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.settimeout(0.6)
        connection.connect((address, int(port)))
        for _ in range(2):
            connection.send(b"probe=" + p.name().encode())
            try:
                return answered(connection.recv(4096), "answer")
            except TimeoutError:
                continue
    raise p.Refused("no answer")


def fastopen(address, port):
    with socket.socket() as connection:
        # Blocking: with a timeout of Python's the call returns before it knows.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 2, 0))
        connection.sendto(b"\x01raw probe=" + p.name().encode(), socket.MSG_FASTOPEN, (address, int(port)))
        return answered(read_all(connection), "closed")


def mptcp(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as connection:
        connection.settimeout(WAIT)
        connection.connect((address, int(port)))
        connection.sendall(b"\x01raw probe=" + p.name().encode())
        return answered(read_all(connection), "closed")


def make(family, kind, protocol):
    """A socket of a family that has no business in the jail; opening it is the escape."""
    try:
        socket.socket(int(family), int(kind), int(protocol)).close()
    except OSError as error:
        missing = ("EAFNOSUPPORT", "ESOCKTNOSUPPORT", "EPROTONOSUPPORT")
        if os.environ.get("PROBE_SIDE") == "outside" and p.errno_name(error.errno) in missing:
            raise p.Unable("the kernel has no such protocol") from error
        raise
    return "socket opened"


def ping(address):
    """ICMP echo to the machine's own address through a raw socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as connection:
        connection.settimeout(WAIT)
        connection.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1), (address, 0))
        connection.recv(1024)
    return "echo answered"


def tun(_):
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, 0x400454CA, struct.pack("16sH22x", b"gesc%d" % (os.getpid() % 9999), 0x1001))
    return "interface made"


def interfaces(_):
    """Whether anything but loopback can be seen."""
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    if others:
        return others
    raise p.Refused("only lo")


def device(name):
    """Binding to a real interface by name."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    return "bound"


def inherited(number):
    """A connected socket that gate's caller left open: must not be there."""
    with socket.socket(fileno=int(number)) as connection:
        connection.settimeout(WAIT)
        connection.sendall(b"\x01raw probe=" + p.name().encode())
        return answered(read_all(connection), "closed")


def reused(address, port):
    """Standard input is a socket of the machine: whom it talks to comes with a message, not by connect."""
    with socket.socket(fileno=os.dup(0)) as connection:
        connection.shutdown(socket.SHUT_RDWR)
        connection.sendto(b"\x01raw probe=" + p.name().encode(), socket.MSG_FASTOPEN, (address, int(port)))
        connection.settimeout(WAIT)
        return answered(read_all(connection), "closed")


def serve(address, folder):
    """A port of the jail's own must not be a port of the machine."""
    import time
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.settimeout(8)
        with open(os.path.join(folder, "port.tmp"), "w", encoding="utf-8") as file:
            file.write(str(listener.getsockname()[1]))
        os.rename(os.path.join(folder, "port.tmp"), os.path.join(folder, "port"))
        connection, _ = listener.accept()
        with connection:
            connection.sendall(p.token().encode())
    return "reached from outside"


def descriptors(_):
    """Anything open beyond the three that everybody has."""
    more = []
    for number in range(3, 1024):
        try:
            more.append(os.readlink("/proc/self/fd/%d" % number))
        except FileNotFoundError:
            continue
    if more:
        return more
    raise p.Refused("only three")


p.run({f.__name__: f for f in (tcp, http, tls, udp, fastopen, mptcp, make, ping, tun, interfaces, device, inherited, reused, serve,
                               descriptors)})
