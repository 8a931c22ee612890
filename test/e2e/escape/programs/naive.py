"""A forward proxy that forwards everything: it proves outside the jail that a probe through a proxy is well made.

usage: naive.py name=address:port…; the names are those that `--resolve` gives gate. Prints its port.
"""
import os
import socket
import sys
import threading

HOSTS = dict(argument.split("=", 1) for argument in sys.argv[1:])


def dial(target):
    host, _, port = target.rpartition("@")[2].rpartition(":")
    name = host.lower().rstrip(".").strip("[]")
    address, _, pinned = HOSTS.get(name + ":" + port, name + ":" + port).rpartition(":")
    return socket.create_connection((address.strip("[]"), int(pinned)), 3)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for side in (source, sink):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(4096)
        if not piece:
            return client.close()
        data += piece
    method, target = data.decode("latin1").split(" ")[:2]
    if method != "CONNECT":
        authority = target.split("/")[2] if "://" in target else "127.0.0.1:1"
        target = authority if authority.rpartition(":")[2].isdigit() else authority + ":80"
    try:
        upstream = dial(target)
    except (OSError, ValueError) as error:
        client.sendall(b"HTTP/1.1 502 %s\r\n\r\n" % str(error).encode())
        return client.close()
    if method == "CONNECT":
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    else:
        upstream.sendall(data)
    threading.Thread(target=pump, args=(client, upstream), daemon=True).start()
    pump(upstream, client)
    return None


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
# Ends with the test that holds the other end of stdin, however that ends.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
