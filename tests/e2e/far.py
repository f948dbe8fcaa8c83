"""Stands between nodes: what it passes on is late.

far.py READY MS AT:TO...  takes connections to the port AT of the loopback to
the port TO; MS milliseconds each way.  READY is made when it listens.
"""

import asyncio
import pathlib
import sys

READY = pathlib.Path(sys.argv[1])
LATE_S = int(sys.argv[2]) / 1000


async def read_all(reader, queue):
    loop = asyncio.get_running_loop()
    data = b"."
    while data:
        try:
            data = await reader.read(1 << 16)
        except ConnectionError:
            data = b""
        queue.put_nowait((loop.time() + LATE_S, data))


async def write_all(writer, queue):
    loop = asyncio.get_running_loop()
    while True:
        due, data = await queue.get()
        await asyncio.sleep(max(0, due - loop.time()))
        if not data:
            break
        writer.write(data)
    writer.close()


async def carry(reader, writer):
    queue = asyncio.Queue()
    await asyncio.gather(read_all(reader, queue), write_all(writer, queue))


def between(port):
    async def connect(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", port
            )
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            carry(reader, far_writer), carry(far_reader, writer)
        )

    return connect


async def main():
    servers = []
    for pair in sys.argv[3:]:
        at, to = map(int, pair.split(":"))
        servers.append(
            await asyncio.start_server(between(to), "127.0.0.1", at)
        )
    READY.touch()
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
