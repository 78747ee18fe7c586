"""TLS before a PostgreSQL that has none: it answers the request for TLS, then passes bytes on."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL

WANTS_TLS = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@asynccontextmanager
async def with_tls(url: URL, certificates: Path) -> AsyncIterator[URL]:
    """Give the address of a PostgreSQL that takes TLS alone, under the server's certificate in a folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(len(WANTS_TLS)) != WANTS_TLS:
            writer.close()
            return
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except OSError:
            writer.close()
            return
        behind, before = await asyncio.open_connection(url.host, url.port)
        await asyncio.gather(pass_on(reader, before), pass_on(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield url.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
