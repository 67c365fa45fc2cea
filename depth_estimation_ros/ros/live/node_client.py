"""The parameter services of the node that is shown; every answer comes while ROS spins."""

from __future__ import annotations

from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING, Any

from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParametersAtomically,
)
from rclpy.parameter import Parameter, parameter_value_to_python
from std_srvs.srv import SetBool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rclpy.node import Node

ANSWER_SEC = 5.0
SERVICES: dict[type, str] = {
    ListParameters: 'list_parameters',
    DescribeParameters: 'describe_parameters',
    GetParameters: 'get_parameters',
    SetParametersAtomically: 'set_parameters_atomically',
    SetBool: 'enable',
}
# Parameters that rclpy adds to every node.
FOREIGN = ('use_sim_time', 'start_type_description_service')


@dataclass(kw_only=True)
class NodeFacts:
    """The node's parameters.

    Attributes:
        descriptors: rcl_interfaces' ParameterDescriptor by name.
        values: by name.
    """

    descriptors: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Call:
    future: Any
    deadline: float
    on_silence: Callable[[], None]


class NodeClient:
    """Asks a node; call `look` once in a while for what is not answered.

    Args:
        node: takes part in ROS.
        name: of the node that is asked, full.
    """

    def __init__(self, node: Node, name: str) -> None:
        self.name = name
        self._node = node
        self._clients = {
            kind: node.create_client(kind, f'{name}/{service}')
            for kind, service in SERVICES.items()
        }
        self._calls: list[_Call] = []

    def close(self) -> None:
        """Take the clients back."""
        self._calls.clear()
        for client in self._clients.values():
            self._node.destroy_client(client)
        self._clients.clear()

    @property
    def is_there(self) -> bool:
        """True when the node's services can be called."""
        return all(client.service_is_ready() for client in self._clients.values())

    def read(self, on_facts: Callable[[NodeFacts], None], on_silence: Callable[[], None]) -> None:
        """Ask for all parameters of the node with their descriptions."""
        facts = NodeFacts()

        def on_names(response: Any) -> None:
            names = [
                name for name in response.result.names if name not in FOREIGN and '.' not in name
            ]
            self._call(
                DescribeParameters,
                {'names': names},
                lambda came: on_descriptors(names, came),
                on_silence,
            )

        def on_descriptors(names: list[str], response: Any) -> None:
            facts.descriptors.update(zip(names, response.descriptors, strict=False))
            self._call(
                GetParameters, {'names': names}, lambda came: on_values(names, came), on_silence
            )

        def on_values(names: list[str], response: Any) -> None:
            values = [parameter_value_to_python(value) for value in response.values]
            facts.values.update(zip(names, values, strict=False))
            on_facts(facts)

        self._call(ListParameters, {}, on_names, on_silence)

    def set_parameters(
        self, values: Mapping[str, Any], on_answer: Callable[[bool, str], None]
    ) -> None:
        """Set parameters, all or none; the answer is success and, of a refusal, the reason."""
        parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        self._call(
            SetParametersAtomically,
            {'parameters': parameters},
            lambda came: on_answer(came.result.successful, came.result.reason),
            lambda: on_answer(False, self._silence()),
        )

    def set_enabled(self, *, is_enabled: bool, on_answer: Callable[[bool, str], None]) -> None:
        """Pause the node or let it go on."""
        self._call(
            SetBool,
            {'data': is_enabled},
            lambda came: on_answer(came.success, came.message),
            lambda: on_answer(False, self._silence()),
        )

    def look(self) -> None:
        """Give up calls that have waited for long enough."""
        now = time.monotonic()
        late = [call for call in self._calls if call.deadline < now and not call.future.done()]
        self._calls = [call for call in self._calls if call not in late and not call.future.done()]
        for call in late:
            call.future.cancel()
            call.on_silence()

    def _silence(self) -> str:
        return f'{self.name} does not answer within {ANSWER_SEC:g} s'

    def _call(
        self,
        kind: Any,
        request: Mapping[str, Any],
        on_response: Callable[[Any], None],
        on_silence: Callable[[], None],
    ) -> None:
        future = self._clients[kind].call_async(kind.Request(**request))

        def on_done(done: Any) -> None:
            if not done.cancelled():
                on_response(done.result())

        future.add_done_callback(on_done)
        self._calls.append(
            _Call(future=future, deadline=time.monotonic() + ANSWER_SEC, on_silence=on_silence)
        )
