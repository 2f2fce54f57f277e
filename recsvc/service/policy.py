"""PolicyService: turns texts off and on."""

import grpc

from recsvc import wire
from recsvc.registry.text_policy import TextPolicy
from recsvc.v1 import policy_pb2 as pb
from recsvc.v1 import policy_pb2_grpc


class PolicyService(policy_pb2_grpc.PolicyServiceServicer):
    """The switches of all server processes."""

    def __init__(self, text_policy: TextPolicy) -> None:
        self._text_policy = text_policy

    async def ListSwitches(
        self,
        request: pb.ListSwitchesRequest,
        context: "grpc.aio.ServicerContext[pb.ListSwitchesRequest, pb.ListSwitchesResponse]",
    ) -> pb.ListSwitchesResponse:
        return wire.encode_switches(await self._text_policy.turned_off())

    async def TurnOff(
        self, request: pb.TurnOffRequest, context: "grpc.aio.ServicerContext[pb.TurnOffRequest, pb.TurnOffResponse]"
    ) -> pb.TurnOffResponse:
        await self._text_policy.turn_off(wire.decode_switch(request))
        return pb.TurnOffResponse()

    async def TurnOn(
        self, request: pb.TurnOnRequest, context: "grpc.aio.ServicerContext[pb.TurnOnRequest, pb.TurnOnResponse]"
    ) -> pb.TurnOnResponse:
        await self._text_policy.turn_on(wire.decode_switch(request))
        return pb.TurnOnResponse()
