"""The Python client of the 1.x line: list tools, read a resource, get a prompt, call a tool; prints JSON."""

import asyncio
import json
import os
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['COUNTERSIGN_TOKEN']}"}
    async with streamablehttp_client(url, headers=headers) as (read, write, _):
        async with ClientSession(read, write) as session:
            hello = await session.initialize()
            tools = await session.list_tools()
            stock = await session.read_resource("inventory://warehouse/WH-2/stock")
            prompt = await session.get_prompt("low_stock_review", {"region": "EU"})
            arguments = {"manga_id": "BER42", "volume_number": 42}
            answer = await session.call_tool("check_stock", arguments)
            print(
                json.dumps(
                    {
                        "server": hello.serverInfo.name,
                        "tools": [tool.name for tool in tools.tools],
                        "stock": stock.contents[0].text,
                        "prompt": prompt.messages[0].content.text,
                        "said": answer.content[0].text,
                        "structured": answer.structuredContent,
                    }
                )
            )


asyncio.run(main(sys.argv[1]))
