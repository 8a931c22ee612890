"""Attempts through the proxy that the environment names. Escaped means that the sink's token came back."""
import os
import socket
import ssl
import sys
from urllib.parse import urlsplit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p


def path_name():
    """The probe's name as it can stand in a path."""
    return p.name().replace(" ", "-").replace(".", "-")


def proxy():
    url = urlsplit(os.environ.get("HTTP_PROXY") or os.environ.get("http_proxy") or "")
    if not url.port:
        raise p.Unable("no proxy in the environment")
    connection = socket.create_connection((url.hostname, url.port), 5)
    connection.settimeout(5)
    return connection


def head_of(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return data


def refusal(data):
    """What gate said, in words that a test can match: status, reason header and body."""
    text = data.decode("latin1")
    status = text.split("\r\n", 1)[0].split(" ", 1)[-1]
    marks = [line.strip() for line in text.split("\r\n") if line.lower().startswith(("x-gate-block", "x-gate-error"))]
    raise p.Refused("%s; %s" % (status, "; ".join(marks)) if text else "closed without a word")


def judge(data):
    if p.token().encode() in data:
        return "the sink answered"
    return refusal(data)


def response(connection):
    """A head and its body, by content-length; enough for the sinks and for gate's own answers."""
    data = head_of(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        piece = connection.recv(4096)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def tunnel(target, host_header=None):
    connection = proxy()
    connection.sendall(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, host_header or target)).encode("latin1"))
    head = head_of(connection)
    if b" 200 " not in head.split(b"\r\n")[0] + b" ":
        refusal(head)
    return connection


def over_tls(connection, sni):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(connection, server_hostname=sni or None)
    except (ssl.SSLError, ConnectionError) as error:
        raise p.Refused("tls: %s" % error) from error


def get(connection, hosts, path=None):
    lines = ["GET %s HTTP/1.1" % (path or "/" + path_name())] + ["Host: %s" % host for host in hosts.split("|") if host]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin1"))
    return response(connection)


def connect(target, sni, hosts, path=None):
    """CONNECT, TLS and GET with each name chosen apart; `hosts` may hold two, divided by a bar."""
    with over_tls(tunnel(target), sni) as connection:
        return judge(get(connection, hosts, path))


def second(target, sni, first, then):
    """The first request is proper, the second on the same connection is not."""
    with over_tls(tunnel(target), sni) as connection:
        if p.token().encode() not in get(connection, first):
            raise p.Refused("the proper first request failed")
        return judge(get(connection, then))


def plain_tunnel(target, host):
    """HTTP without TLS inside CONNECT."""
    with tunnel(target) as connection:
        return judge(get(connection, host))


def raw(target):
    """Bytes that are neither TLS nor HTTP inside CONNECT."""
    with tunnel(target) as connection:
        connection.sendall(b"\x01\x02raw probe=%s\n" % p.name().encode())
        return judge(connection.recv(4096))


def nested(first, second_target):
    """A CONNECT inside the tunnel to an allowed host."""
    with over_tls(tunnel(first), first.split(":")[0]) as connection:
        connection.sendall(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (second_target, second_target)).encode())
        head = head_of(connection)
        if b" 200 " not in head.split(b"\r\n")[0] + b" ":
            refusal(head)
        connection.sendall(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % path_name().encode())
        return judge(response(connection))


def absolute(url, host):
    """The absolute form that plain HTTP uses with a proxy."""
    with proxy() as connection:
        return judge(get(connection, host, url + ("" if "?" in url else "?probe=" + path_name())))


def upgrade(target, sni, host, protocol):
    """Switching protocols, so that later requests would pass unread."""
    with over_tls(tunnel(target), sni) as connection:
        connection.sendall(("GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                            % (path_name(), host, protocol)).encode())
        return judge(response(connection))


def own_port(spelling, sink):
    """The proxy asked to connect to itself, and there to forward."""
    port = urlsplit(os.environ.get("HTTP_PROXY", "http://x:0")).port
    with tunnel("%s:%d" % (spelling, port)) as connection:
        return judge(get(connection, "127.0.0.1:" + sink, "http://127.0.0.1:%s/%s" % (sink, path_name())))


def smuggle(url, host, hidden):
    """Two lengths that disagree: whoever believes the other one finds a second request."""
    body = "0\r\n\r\nGET /%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path_name(), hidden)
    with proxy() as connection:
        connection.sendall(("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%s"
                            % (url, host, len(body), body)).encode())
        data = b""
        try:
            while data.count(p.token().encode()) < 2:
                piece = connection.recv(4096)
                if not piece:
                    break
                data += piece
        except TimeoutError:
            pass
    if data.count(p.token().encode()) > 1:
        return "the hidden request was answered"
    return refusal(data)


p.run({f.__name__: f for f in (connect, second, plain_tunnel, raw, nested, absolute, upgrade, own_port, smuggle)})
