"""DNS as a way out: names are data. Escaped means that the test's own name server answered."""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

TYPES = {"A": 1, "NULL": 10, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "HTTPS": 65, "ANY": 255}


def question(name, kind):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", TYPES[kind], 1)


def judge(reply, wanted):
    if wanted.encode() in reply or (wanted.count(".") == 3 and socket.inet_aton(wanted) in reply):
        return "the test's name server answered"
    raise p.Refused("rcode %d, %d answers" % (reply[3] & 15, struct.unpack("!H", reply[6:8])[0]))


def ask(server, name, kind, wanted):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(3)
        connection.sendto(question(name, kind), (server, 53))
        return judge(connection.recv(4096), wanted)


def ask_tcp(server, name, kind, wanted):
    packet = question(name, kind)
    with socket.create_connection((server, 53), 3) as connection:
        connection.sendall(struct.pack("!H", len(packet)) + packet)
        return judge(connection.recv(4096)[2:], wanted)


def lookup(name, wanted):
    """The C library's own way: hosts, resolver daemons and DNS, whatever the system has."""
    try:
        found = sorted({entry[4][0] for entry in socket.getaddrinfo(name, 443)})
    except socket.gaierror as error:
        raise p.Refused("lookup failed: %s" % error) from error
    if wanted in found:
        return found
    raise p.Refused("answered %s" % ",".join(found))


def hosts(path, wanted):
    """The machine's own names must not be in the jail's hosts file."""
    with open(path, encoding="utf-8") as file:
        if wanted in file.read():
            return "read"
    raise p.Refused("other content")


p.run({f.__name__: f for f in (ask, ask_tcp, lookup, hosts)})
