"""A mail server for the tests: keeps what it gets as files, and answers as addresses say.

    server.py FOLDER plain|login|starttls|tls [CERTIFICATE KEY]

Prints its port, then serves until its input ends. `later@…` is refused for now, `never@…` for good; `login` and the
safe modes want the user `shop` with the password `rpa`. After every third mail it closes the connection.
"""

import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("later@"):
            return "451 4.7.1 try again later"
        if address.startswith("never@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        about = f"X-Peer-Encrypted: {'yes' if server.transport.get_extra_info('ssl_object') else 'no'}\r\nX-Recipients: {', '.join(envelope.rcpt_tos)}\r\n"
        (self.folder / f"{self.count:03}.eml").write_bytes(about.encode() + envelope.content)
        if self.count % 3 == 0:
            asyncio.get_running_loop().call_soon(server.transport.close)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"shop", b"rpa"))


async def serve():
    folder, mode = sys.argv[1:3]
    context = None
    if mode in ("starttls", "tls"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*sys.argv[3:5])
    options = {"hostname": "localhost"}
    if mode != "plain":
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": mode == "starttls"}
    if mode == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    handler = Handler(folder)
    loop = asyncio.get_running_loop()
    direct = context if mode == "tls" else None
    server = await loop.create_server(lambda: SMTP(handler, loop=loop, **options), "127.0.0.1", 0, ssl=direct)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
