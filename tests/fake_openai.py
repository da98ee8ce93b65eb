"""An OpenAI-compatible server whose every answer a test decides."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """A server whose answer is a function of the handler; keeps what it was sent."""

    def __init__(self):
        self.requests = []
        self.answer = self.stream("return", " a + b")
        self.n_closed_early = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append((self.path, dict(self.headers), body))
                try:
                    outer.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    outer.n_closed_early += 1

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._http.shutdown()
        self._http.server_close()

    @staticmethod
    def head(handler, status=200, **headers):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    @classmethod
    def status(cls, status, body=b"", **headers):
        def answer(handler):
            cls.head(handler, status, **headers)
            handler.wfile.write(body)

        return answer

    @classmethod
    def stream(cls, *texts, done=True, pause_s=0.0, reason="stop"):
        def answer(handler):
            cls.head(handler)
            for text in texts:
                event = {"choices": [{"text": text, "finish_reason": None}]}
                handler.wfile.write(b": keep-alive\n\ndata: " + json.dumps(event).encode() + b"\n\n")
                handler.wfile.flush()
                time.sleep(pause_s)
            if done:
                last = {"choices": [{"text": "", "finish_reason": reason}]}
                handler.wfile.write(b"data: " + json.dumps(last).encode() + b"\n\ndata: [DONE]\n\n")

        return answer
