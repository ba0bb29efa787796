"""The Python client of the 2.x line, as it comes: list tools, read a resource, get a prompt, call a tool; prints JSON."""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def main(url: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['COUNTERSIGN_TOKEN']}"}
    async with create_mcp_http_client(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            tools = await client.list_tools()
            stock = await client.read_resource("inventory://warehouse/WH-2/stock")
            prompt = await client.get_prompt("low_stock_review", {"region": "EU"})
            arguments = {"manga_id": "BER42", "volume_number": 42}
            answer = await client.call_tool("check_stock", arguments)
            print(
                json.dumps(
                    {
                        "server": client.server_info.name,
                        "tools": [tool.name for tool in tools.tools],
                        "stock": stock.contents[0].text,
                        "prompt": prompt.messages[0].content.text,
                        "said": answer.content[0].text,
                        "structured": answer.structured_content,
                    }
                )
            )


asyncio.run(main(sys.argv[1]))
