"""The test's own targets: TCP, TLS, UDP, DNS and unix sockets that answer with a token and report every touch.

Reads one JSON line {token, tls, owner, listen, zone} from stdin, prints {"ready": [...]}, then one {"hit": ...} a
touch. A later line on stdin is answered by {"sync": line}. Ends when stdin does, so no sink outlives its test.
"""
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

LOCK = threading.Lock()


def say(message):
    with LOCK:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def hit(target, data):
    say({"hit": {"target": target, "data": data[:2000].decode("latin1")}})


def answer_stream(spec, target, connection, context):
    hit(target, b"")
    connection.settimeout(10)
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        data = connection.recv(4096)
        hit(target, data)
        body = ("SINK %s" % spec["token"]).encode()
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        # One answer for each request in what came, so that a request hidden in another one shows.
        connection.sendall(reply * max(1, data.count(b" HTTP/1.1\r\n")))
        while data:
            # A second request on the same connection is a touch of its own.
            data = connection.recv(4096)
            if data:
                hit(target, data)
                connection.sendall(reply)
    except OSError:
        pass
    finally:
        connection.close()


def serve_stream(spec, target, listener, context):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer_stream, args=(spec, target, connection, context), daemon=True).start()


def question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin1"))
        at += packet[at] + 1
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], packet[12:at + 5]


def dns_answer(spec, packet):
    """A records come from the zone, one after the other; every other type carries the token as TXT."""
    name, kind, raw = question(packet)
    record = b""
    if kind == 1 and name in spec["zone"]:
        values = spec["zone"][name]
        value = values.pop(0) if len(values) > 1 else values[0]
        for address in value.split("+"):
            record += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
    elif kind not in (1, 28):
        text = spec["token"].encode()
        record = b"\xc0\x0c" + struct.pack("!HHIHB", 16, 1, 0, len(text) + 1, len(text)) + text
    count = record.count(b"\xc0\x0c")
    return packet[:2] + b"\x85\x80" + struct.pack("!HHHH", 1, count, 0, 0) + raw + record, "%s %d" % (name, kind)


def serve_datagram(spec, target, listener, is_dns):
    while True:
        data, source = listener.recvfrom(4096)
        reply = b"SINK " + spec["token"].encode()
        if is_dns:
            reply, asked = dns_answer(spec, data)
            data = asked.encode()
        hit(target, data)
        try:
            if source:
                listener.sendto(reply, source)
        except OSError:
            pass


def make_folder(path, owner):
    """Each missing folder on the way belongs to the owner, who may therefore rename it."""
    if os.path.isdir(path):
        return
    make_folder(os.path.dirname(path), owner)
    os.mkdir(path, 0o755)
    if owner:
        os.chown(path, *owner)


def listen_unix(spec, target, kind):
    kinds = {"unixdgram": socket.SOCK_DGRAM, "unixseq": socket.SOCK_SEQPACKET}
    listener = socket.socket(socket.AF_UNIX, kinds.get(kind, socket.SOCK_STREAM))
    path = target["path"]
    if not path.startswith("@"):
        make_folder(os.path.dirname(path), spec.get("owner"))
    if target.get("replace") and os.path.exists(path):
        os.unlink(path)
    listener.bind("\0" + path[1:] if path.startswith("@") else path)
    if not path.startswith("@"):
        os.chmod(path, 0o666)
        if spec.get("owner"):
            os.chown(path, *spec["owner"])
    return listener


def listen_inet(target, kind):
    family = socket.AF_INET6 if ":" in target["address"] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM if kind in ("tcp", "tls") else socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((target["address"], target.get("port", 0)))
    return listener


def start(spec, target):
    kind = target["kind"]
    unix = kind in ("unix", "unixdgram", "unixseq")
    listener = listen_unix(spec, target, kind) if unix else listen_inet(target, kind)
    context = None
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(spec["tls"]["cert"], spec["tls"]["key"])
    work = serve_datagram, (spec, target["name"], listener, kind == "dns")
    if kind in ("tcp", "tls", "unix", "unixseq"):
        listener.listen(64)
        work = serve_stream, (spec, target["name"], listener, context)
    threading.Thread(target=work[0], args=work[1], daemon=True).start()
    return dict(target, port=0 if unix else listener.getsockname()[1])


def main():
    spec = json.loads(sys.stdin.readline())
    spec.setdefault("zone", {})
    say({"ready": [start(spec, target) for target in spec["listen"]]})
    for line in sys.stdin:
        # What was already sent must have been counted before the answer.
        time.sleep(0.15)
        say({"sync": line.strip()})


main()
