"""The RViz configuration for the topics and the frame of a launch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where the orbiting view stands: behind the camera and a little above it, looking its way.
_BEHIND_OPTICAL = {'Yaw': 4.712, 'Pitch': -1.3, 'Focal Point': {'X': 0.0, 'Y': 0.0, 'Z': 2.0}}
_BEHIND_BODY = {'Yaw': 3.1416, 'Pitch': 0.35, 'Focal Point': {'X': 2.0, 'Y': 0.0, 'Z': 0.0}}


def rviz_config(template: str, *, topics: Mapping[str, str], fixed_frame: str) -> str:
    """Fill in a configuration.

    Args:
        template: text of an RViz configuration.
        topics: display name -> full topic name; displays not named here stay as they are.
        fixed_frame: that everything is shown in; one with 'optical' in its name has z forward.

    Raises:
        KeyError: the template has no display of a given name.
    """
    config = yaml.safe_load(template)
    manager = config['Visualization Manager']
    displays: dict[str, Any] = {display['Name']: display for display in manager['Displays']}
    for name, topic in topics.items():
        displays[name]['Topic']['Value'] = topic
    manager['Global Options']['Fixed Frame'] = fixed_frame
    view = _BEHIND_OPTICAL if 'optical' in fixed_frame else _BEHIND_BODY
    manager['Views']['Current'].update(view)
    return str(yaml.safe_dump(config, sort_keys=False))


def full_topic(namespace: str, topic: str) -> str:
    """Resolve a topic name in a namespace, as a node in it would."""
    if topic.startswith('/'):
        return topic
    parts = [part for part in (*namespace.split('/'), *topic.split('/')) if part]
    return '/' + '/'.join(parts)
