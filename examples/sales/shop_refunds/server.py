"""A shop to try the example with: python3 server.py [port]"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

RETURNS = [
    {"number": "R-1", "order": "1001", "amount": "49.90"},
    {"number": "R-2", "order": "1002", "amount": "5000.00"},
    {"number": "R-3", "order": "1003", "amount": "12.00"},
]
refunds = {}


class Shop(BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, RETURNS)

    def do_POST(self):
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if float(wanted["amount"]["amount"]) > 1000:
            return self.answer(422, {"message": "refunds above 1000 EUR are paid by hand"})
        # The same key is the same refund, however often it comes.
        refund = refunds.setdefault(self.headers["Idempotency-Key"], {"id": f"F-{wanted['order']}"})
        self.answer(201, refund)


HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8787), Shop).serve_forever()
