"""A server in Python for the tests: a handler says what is answered, all else is here."""

import http.server
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps connections, sends at once, and says nothing on the terminal."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def reply(self, status, body, kind=None):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client may leave when it likes
            super().handle_error(request, client_address)


def serve(handler, context=None):
    """Serves on a free loopback port from a thread until shutdown(); context is TLS's, if any."""
    server = Server(("127.0.0.1", 0), handler)
    server.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
