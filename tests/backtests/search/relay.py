"""A relay that passes TCP on with a delay: python relay.py SECONDS HOST PORT=HOST:PORT ..."""

import asyncio
import sys

BLOCK = 65_536
MOST_BLOCKS = 1_000


async def main(delay: float, host: str, routes: dict[int, tuple[str, int]]) -> None:
    for port, target in routes.items():
        await asyncio.start_server(passing(delay, target), host, port)
    await asyncio.Event().wait()


def passing(delay: float, target: tuple[str, int]):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # what lies behind may still be starting
        while True:
            try:
                far_reader, far_writer = await asyncio.open_connection(*target)
                break
            except OSError:
                await asyncio.sleep(0.05)
        await asyncio.gather(carry(delay, reader, far_writer), carry(delay, far_reader, writer))

    return serve


async def carry(delay: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on every block `delay` seconds after it came; the next need not wait for it."""
    blocks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_BLOCKS)
    now = asyncio.get_running_loop().time

    async def receive() -> None:
        data = b"first"
        while data:
            try:
                data = await reader.read(BLOCK)
            except OSError:
                data = b""
            await blocks.put((now() + delay, data))

    async def send() -> None:
        while True:
            due, data = await blocks.get()
            await asyncio.sleep(due - now())
            if not data:
                writer.close()
                return
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                return

    await asyncio.gather(receive(), send())


if __name__ == "__main__":
    pairs = (route.split("=") for route in sys.argv[3:])
    places = {int(port): target.rsplit(":", 1) for port, target in pairs}
    far = {port: (host, int(number)) for port, (host, number) in places.items()}
    asyncio.run(main(float(sys.argv[1]), sys.argv[2], far))
