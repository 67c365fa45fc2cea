"""Which camera_info belongs to which image: by stamp, or any while the calibration stays."""

from __future__ import annotations

from collections import OrderedDict
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from sensor_msgs.msg import CameraInfo

_MAX_KEPT = 60


class CameraInfoCache:
    """The latest messages of a camera_info topic.

    Cameras with a fixed lens repeat themselves: then the last message does for every image. A
    zoom lens does not: then the message with the image's own stamp is waited for.
    """

    def __init__(self) -> None:
        self._by_stamp: OrderedDict[tuple[int, int], CameraInfo] = OrderedDict()
        self._is_static = True
        self._changed = threading.Condition()

    def add(self, info: CameraInfo) -> None:
        """Keep a message."""
        with self._changed:
            last, key = self._last(), _key(info.header.stamp)
            kept = self._by_stamp.get(key)
            if kept is not None and _same_calibration(kept, info):
                return  # it came by both subscriptions of CameraInfoSubscription
            if last is not None:
                self._is_static = _same_calibration(last, info)
            self._by_stamp.pop(key, None)
            self._by_stamp[key] = info
            if len(self._by_stamp) > _MAX_KEPT:
                self._by_stamp.popitem(last=False)
            self._changed.notify_all()

    def match(self, stamp: Time, *, timeout_sec: float) -> CameraInfo | None:
        """Find the message for an image.

        Args:
            stamp: the image's.
            timeout_sec: longest wait for the message of this stamp if the calibration changes.

        Returns:
            The message of the same stamp, else the last one, None if none ever came.
        """
        key = _key(stamp)
        with self._changed:
            if not self._is_static:
                self._changed.wait_for(lambda: key in self._by_stamp, timeout_sec)
            return self._by_stamp.get(key) or self._last()

    def wait_first(self, timeout_sec: float) -> bool:
        """Wait for the first message, at most `timeout_sec`; tell whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._by_stamp), timeout_sec)

    def clear(self) -> None:
        """Forget everything, as after a jump of time."""
        with self._changed:
            self._by_stamp.clear()
            self._is_static = True

    def _last(self) -> CameraInfo | None:
        return next(reversed(self._by_stamp.values()), None)


def _key(stamp: Time) -> tuple[int, int]:
    return stamp.sec, stamp.nanosec


def _same_calibration(one: CameraInfo, other: CameraInfo) -> bool:
    names = ('height', 'width', 'distortion_model', 'd', 'binning_x', 'binning_y', 'roi')
    return all(getattr(one, name) == getattr(other, name) for name in names) and all(
        list(getattr(one, name)) == list(getattr(other, name)) for name in ('k', 'r', 'p')
    )
