"""Persists so many megabytes by the real client, and reads them again in each way there is."""

import sys

import anyio

from prefect.client import OrionClient
from prefect.orion.schemas.data import DataDocument


async def main(megabytes):
    async with OrionClient() as client:
        small = await client.persist_object({"answer": 42})
        # The server's own machine needs no API to read it.
        inner = DataDocument.parse_raw(small.blob)
        assert await client.resolve_datadoc(inner) == {"answer": 42}, inner
        assert await client.resolve_datadoc(DataDocument(encoding=small.encoding, blob=small.blob)) == {"answer": 42}
        data = bytes(range(256)) * (megabytes * 4096)
        document = await client.persist_data(data)
        again = DataDocument(encoding=document.encoding, blob=document.blob)
        assert await client.retrieve_data(again) == data
        print(again.blob.decode())


anyio.run(main, int(sys.argv[1]))
