"""Fetching large files over HTTP: resumed, retried, checked, and complete or not there at all.

Bytes go to `.NAME.part` beside the target, which takes its name only when it is whole. What an
interrupted download has is kept and gone on with, if the server still has the same file.
"""

from __future__ import annotations

from dataclasses import dataclass
import errno
import http.client
import logging
import os
from pathlib import Path
import shutil
import time
from typing import TYPE_CHECKING, Any, Final
import urllib.error
import urllib.request

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.partial_file import PartialFile, partial_file

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger(__name__)

_CHUNK_BYTES: Final = 1 << 18
_RETRIED_STATUS: Final = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_WAIT_SEC: Final = 30.0
_PAGE_STARTS: Final = (b'<!doctype html', b'<html')


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """How hard to try.

    Attributes:
        max_attempts: Attempts in a row that may end without a new byte.
        wait_sec: Wait before the second attempt [s]; doubled for each further one.
        timeout_sec: Longest silence of the server [s].
        progress: Called with the bytes that are there and of the whole, None = unknown.
    """

    max_attempts: int = 5
    wait_sec: float = 1.0
    timeout_sec: float = 30.0
    progress: Callable[[int, int | None], None] | None = None


class _DroppedError(Exception):
    """The attempt ended early; another may go on from there."""


def download(
    url: str,
    target: str | Path,
    *,
    size: int | None = None,
    options: DownloadOptions | None = None,
) -> Path:
    """Fetch a file unless it is there already.

    Args:
        url: http or https.
        target: File to create; missing folders are made.
        size: Bytes the file must have; None = as many as the server says.
        options: How hard to try.

    Returns:
        The target.

    Raises:
        DataError: The address is refused, the server has another file than expected or sends a web
            page, the connection was lost too often, or the disk is full. What has arrived is kept
            where it can be gone on with.
    """
    target = Path(target)
    if not url.lower().startswith(('http://', 'https://')):
        raise DataError(f'{url}: only http:// and https:// addresses can be downloaded')
    if target.exists():
        found = target.stat().st_size
        if size is not None and found != size:
            raise DataError(f'{target} has {found} bytes, expected {size}: move it away first')
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial_file(target) as part:
            _fetch(url, part, size, options or DownloadOptions())
            part.path.replace(target)
            part.validator_path.unlink(missing_ok=True)
    except OSError as err:
        reason = 'the disk is full' if err.errno == errno.ENOSPC else err.strerror or err
        raise DataError(f'{target}: cannot be written: {reason}; what arrived is kept') from err
    return target


def _fetch(url: str, part: PartialFile, size: int | None, options: DownloadOptions) -> None:
    """Fetch until the file is whole; give up when attempts bring nothing new."""
    failures = 0
    best = part.num_bytes
    while True:
        try:
            _attempt(url, part, size, options)
            part.file.flush()
            os.fsync(part.file.fileno())
            return
        except (_DroppedError, http.client.HTTPException, urllib.error.URLError, OSError) as err:
            _raise_if_final(err, url)
            reason = err
        part.file.flush()
        failures = 1 if part.num_bytes > best else failures + 1
        best = max(best, part.num_bytes)
        if failures >= options.max_attempts:
            raise DataError(
                f'{url}: {failures} attempts in a row failed ({reason}); {part.num_bytes} bytes '
                'are kept: run the same command again to go on'
            )
        wait = min(_LONGEST_WAIT_SEC, options.wait_sec * 2 ** (failures - 1))
        _logger.info('%s; trying again in %g s', reason, wait)
        time.sleep(wait)


def _raise_if_final(err: Exception, url: str) -> None:
    """Raise for what another attempt cannot mend."""
    if isinstance(err, urllib.error.HTTPError) and err.code not in _RETRIED_STATUS:
        raise DataError(f'{url}: the server answers {err.code} {err.reason}') from err
    if isinstance(err, OSError) and err.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        raise err


def _attempt(url: str, part: PartialFile, size: int | None, options: DownloadOptions) -> None:
    """Ask for what is missing and append it.

    Raises:
        _DroppedError: The connection ended early.
    """
    have = part.num_bytes
    if size is not None and have > size:
        part.start_over(None)
        have = 0
    if size is not None and have == size:
        return
    try:
        response = _open(url, part, have, options)
    except urllib.error.HTTPError as err:
        if err.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            if _total_of_range(err.headers.get('Content-Range', '')) == have:
                return  # all of it was here
            part.start_over(None)
            raise _DroppedError('the server has another file than before') from None
        raise
    with response:
        is_rest = response.status == http.client.PARTIAL_CONTENT
        total = _total(response, have)
        _check_offer(url, response, part, (total or 0) - (have if is_rest else 0), total, size)
        if not is_rest:
            part.start_over(response.headers.get('ETag') or response.headers.get('Last-Modified'))
        _append(response, part, total, options)


def _open(url: str, part: PartialFile, have: int, options: DownloadOptions) -> Any:
    headers = {'Accept-Encoding': 'identity', 'User-Agent': 'depth-estimation-ros'}
    if have:
        headers['Range'] = f'bytes={have}-'
        validator = part.validator()
        if validator and not validator.startswith('W/'):
            headers['If-Range'] = validator
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http(s), checked
    return urllib.request.urlopen(request, timeout=options.timeout_sec)  # noqa: S310


def _total(response: Any, have: int) -> int | None:
    """Return the size of the whole file, None when the server does not say."""
    if response.status == http.client.PARTIAL_CONTENT:
        content_range = response.headers.get('Content-Range', '')
        if not content_range.startswith(f'bytes {have}-'):
            raise _DroppedError(f'the server sent {content_range!r}, not bytes from {have}')
        return _total_of_range(content_range)
    length = response.headers.get('Content-Length')
    return int(length) if length is not None else None


def _total_of_range(content_range: str) -> int | None:
    """Return N of 'bytes 0-9/N'."""
    total = content_range.rpartition('/')[2]
    return int(total) if total.isdigit() else None


def _check_offer(
    url: str, response: Any, part: PartialFile, coming: int, total: int | None, size: int | None
) -> None:
    """Refuse another file than the one that is wanted before fetching gigabytes of it."""
    if size is not None and total is not None and total != size:
        raise DataError(f'{url}: the server has {total} bytes, expected {size}')
    if response.headers.get_content_type() == 'text/html':
        raise DataError(
            f'{url}: the server sent a web page, not the file (a login or a quota?): open the '
            'address in a browser'
        )
    free = shutil.disk_usage(part.path.parent).free
    if coming > free:
        raise DataError(
            f'{part.path.parent}: {free / 1e9:.2f} GB are free, {coming / 1e9:.2f} GB are needed'
        )


def _append(response: Any, part: PartialFile, total: int | None, options: DownloadOptions) -> None:
    """Write what the server sends behind what is there."""
    have = part.num_bytes
    while True:
        data = response.read(_CHUNK_BYTES)
        if not data:
            break
        if have == 0 and data.lstrip()[:14].lower().startswith(_PAGE_STARTS):
            raise DataError(f'{response.url}: the server sent a web page, not the file')
        part.file.write(data)
        have += len(data)
        if options.progress is not None:
            options.progress(have, total)
    part.file.flush()
    if total is not None and have != total:
        if have > total:
            part.start_over(None)
        raise _DroppedError(f'the connection ended at {have} of {total} bytes')
