"""Creates flow runs by the real client, one after the other, for so many seconds; prints how
many there are. Each error ends it."""

import sys
import time

import anyio

from prefect.client import OrionClient


async def main(seconds):
    until = time.monotonic() + seconds
    async with OrionClient() as client:
        flow = (await client.post("/flows/", json={"name": "insistent"})).json()["id"]
        made = 0
        while time.monotonic() < until:
            await client.post("/flow_runs/", json={"flow_id": flow, "parameters": {"made": made}})
            made += 1
            await client.read_flow(flow)
    print(made)


anyio.run(main, float(sys.argv[1]))
