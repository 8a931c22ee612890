"""The add-on of the mitmdump contender: bodies are streamed, and every name leads to the benchmark's origin."""

import os


class Bench:
    def server_connect(self, data):
        data.server.address = ("127.0.0.1", int(os.environ["BENCH_ORIGIN_PORT"]))

    def requestheaders(self, flow):
        flow.request.stream = True

    def responseheaders(self, flow):
        flow.response.stream = True


addons = [Bench()]
