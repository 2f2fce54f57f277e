"""A minimal grpc.aio server, which answers every Recommend with the same response.

    python -m tests.benchmarks.echo RESPONSE_FILE

Prints its port. Recommend is compared with it, because no server on grpc.aio can be faster.
"""

import asyncio
import sys
from pathlib import Path

from recsvc.v1 import recommendation_pb2, recommendation_pb2_grpc
from tests.benchmarks.bare_server import serve


class Echo(recommendation_pb2_grpc.RecommendationServiceServicer):
    """Decodes the request and encodes the response as any servicer does, and nothing else."""

    def __init__(self, response: recommendation_pb2.RecommendResponse) -> None:
        self._response = response

    async def Recommend(self, request, context):
        return self._response


if __name__ == "__main__":
    asyncio.run(serve(Echo(recommendation_pb2.RecommendResponse.FromString(Path(sys.argv[1]).read_bytes()))))
