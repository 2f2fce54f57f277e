"""PolicyService: what may not be said."""

from typing import TYPE_CHECKING

import grpc

from recsvc import wire
from recsvc.v1 import policy_pb2 as pb
from recsvc.v1 import policy_pb2_grpc

if TYPE_CHECKING:
    from recsvc.registry.text_policy import TextPolicy


class PolicyService(policy_pb2_grpc.PolicyServiceServicer):
    def __init__(self, reasons: "TextPolicy") -> None:
        self._reasons = reasons

    async def ListSwitches(
        self,
        request: pb.ListSwitchesRequest,
        context: "grpc.aio.ServicerContext[pb.ListSwitchesRequest, pb.ListSwitchesResponse]",
    ) -> pb.ListSwitchesResponse:
        return wire.encode_switches(await self._reasons.turned_off())

    async def TurnOff(
        self, request: pb.TurnOffRequest, context: "grpc.aio.ServicerContext[pb.TurnOffRequest, pb.TurnOffResponse]"
    ) -> pb.TurnOffResponse:
        await self._reasons.turn_off(wire.decode_switch(request))
        return pb.TurnOffResponse()

    async def TurnOn(
        self, request: pb.TurnOnRequest, context: "grpc.aio.ServicerContext[pb.TurnOnRequest, pb.TurnOnResponse]"
    ) -> pb.TurnOnResponse:
        await self._reasons.turn_on(wire.decode_switch(request))
        return pb.TurnOnResponse()
