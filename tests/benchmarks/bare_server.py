"""A grpc.aio server with nothing around a servicer: no interceptor, no limit, no health."""

import grpc

from recsvc.v1 import recommendation_pb2_grpc


async def serve(servicer: recommendation_pb2_grpc.RecommendationServiceServicer) -> None:
    """Prints the port and serves until it is ended."""
    server = grpc.aio.server()
    recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)  # noqa: T201  its caller reads it
    await server.wait_for_termination()
