"""One address with TLS in front of everything."""

import ssl
from urllib.parse import urlsplit

import aiohttp

from tests.containers.engine import inspect
from tests.containers.stack import Stack, until

ROOT_CERTIFICATE = "/data/caddy/pki/authorities/local/root.crt"


async def test_the_proxy_speaks_tls_for_every_page_and_keeps_the_insides_inside(stack: Stack) -> None:
    proxied = Stack(stack.project, stack.files, (*stack.profiles, "proxy"), stack.environment)
    await proxied.compose("up", "--wait", "--no-build", "--detach", "--no-recreate", "--no-deps", "proxy")
    (container,) = await proxied.containers("proxy")
    assert (await inspect(container))["HostConfig"]["CapAdd"] == ["NET_BIND_SERVICE"]

    async def certificate() -> str:
        ran = await proxied.compose("exec", "--no-TTY", "proxy", "cat", ROOT_CERTIFICATE)
        return ran if "BEGIN CERTIFICATE" in ran else ""

    context = ssl.create_default_context(cadata=await until(certificate, seconds=20))
    base = f"https://localhost:{stack.environment['KEEPWELL_PROXY_HTTPS_PORT']}"
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as http:
        async with http.get(f"{base}/console/today", allow_redirects=False) as answer:
            assert answer.status in {302, 303}
            assert urlsplit(answer.headers["Location"]).path == "/console/login"
        async with http.get(f"{base}/console/login") as answer:
            assert answer.status == 200
        async with http.get(f"{base}/api/v1/rules", headers={"Authorization": f"Bearer {stack.token}"}) as answer:
            assert (answer.status, bool((await answer.json())["items"])) == (200, True)
        for inside in ("/metrics", "/healthz", "/readyz"):
            async with http.get(base + inside) as answer:
                assert answer.status == 404, inside
