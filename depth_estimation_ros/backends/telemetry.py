"""Libraries that send usage data to their makers, imported so that they send none."""

from __future__ import annotations

import os
from typing import Any

_ONNXRUNTIME_SWITCH = 'ORT_DISABLE_TELEMETRY'


def import_onnxruntime() -> Any:
    """Import onnxruntime with its telemetry off, unless the user has set the switch himself.

    Its wheels from 1.32 on write a device id into ~/.cache/Microsoft and send events to Microsoft
    from the moment of the import. A robot's software does neither unasked.
    """
    os.environ.setdefault(_ONNXRUNTIME_SWITCH, '1')
    import onnxruntime

    return onnxruntime
