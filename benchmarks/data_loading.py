"""What loading costs, beside what training consumes.

Writes files in the real formats at the real size (480x640, textured, so that they compress as
photographs do), and times the loader alone: images a second with its worker processes, and
processor time an image, which other programs on the machine disturb less. With --train it also
times training steps of the preset's network on random images. --json writes the figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import platform
import shutil
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any
import zipfile

import cv2
import h5py
import numpy as np
import scipy.io
import torch
from torch.utils.data import DataLoader

from depth_estimation_ros.training.data.datasets import open_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, WIDTH = 480, 640
NUM_FILES = 24  # different files; the rest of a run reads them again


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--height', type=int, default=192, help='of the items (%(default)s)')
    parser.add_argument('--width', type=int, default=256, help='of the items (%(default)s)')
    parser.add_argument('--num-images', type=int, default=400, help='to read (%(default)s)')
    parser.add_argument('--num-workers', type=int, default=2, help='processes (%(default)s)')
    parser.add_argument('--batch-size', type=int, default=16, help='(%(default)s)')
    parser.add_argument('--train', metavar='PRESET', help='time training steps of this preset too')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures here')
    args = parser.parse_args()
    size = (args.height, args.width)
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind, write in WRITERS.items():
            folder = Path(name) / kind
            folder.mkdir()
            data = open_dataset(kind, write(folder), split='test', size=size)
            figures[kind] = {
                'images_per_sec': loader_rate(data, args),
                'cpu_ms': loader_cpu_ms(data, num_images=args.num_images // 4),
            }
            show(kind, figures[kind])
            shutil.rmtree(folder)
    if args.train:
        figures['training'] = training_rate(args.train, size, args.batch_size)
        show(f'training, {args.train}', figures['training'])
        slowest = max(value['cpu_ms'] for kind, value in figures.items() if kind != 'training')
        ratio = figures['training']['cpu_ms'] / slowest
        print(f'training takes {ratio:.0f} times the processor time of the slowest loader')
    if args.json:
        report = {
            'figures': figures, 'size': size, 'num_workers': args.num_workers,
            'processor': platform.processor() or platform.machine(), 'torch': torch.__version__,
        }  # fmt: skip
        args.json.write_text(json.dumps(report, indent=2) + '\n')
    return 0


def show(name: str, figures: dict[str, float]) -> None:
    """Print one line of the table."""
    print(
        f'{name:<24} {figures["images_per_sec"]:8.1f} images/s {figures["cpu_ms"]:8.2f} '
        'ms of processor time an image',
        flush=True,
    )


def loader_cpu_ms(data: Any, *, num_images: int) -> float:
    """Return the processor time of reading an image, in this process, on one thread [ms]."""
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    data[0]
    start = time.process_time()
    for index in range(num_images):
        data[index % len(data)]
    cv2.setNumThreads(num_threads)
    return (time.process_time() - start) / num_images * 1000


def loader_rate(data: Any, args: argparse.Namespace) -> float:
    """Return images a second of the loader alone, its workers started."""
    indices = [index % len(data) for index in range(args.num_images)]
    loader = DataLoader(
        data, batch_size=args.batch_size, num_workers=args.num_workers,
        sampler=indices * 2, prefetch_factor=4 if args.num_workers else None,
    )  # fmt: skip
    start, count = 0.0, 0
    for batch in loader:
        if start == 0.0 and count >= args.num_images // 4:  # the workers run by now
            start, first = time.perf_counter(), count
        count += len(batch['image'])
    return (count - first) / (time.perf_counter() - start)


def training_rate(preset_name: str, size: tuple[int, int], batch_size: int) -> dict[str, float]:
    """Time forward, backward and the optimiser's step, without any loading."""
    from depth_estimation_ros.training.model.network import build_densedepth
    from depth_estimation_ros.training.presets import preset

    config = preset(preset_name)
    network = build_densedepth(
        config.encoder, variant=config.variant, decoder_width=config.decoder_width
    )
    image = torch.rand(batch_size, 3, *size)
    if config.channels_last:
        network, image = network.to(memory_format=torch.channels_last), image.contiguous(
            memory_format=torch.channels_last
        )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters())
    start = cpu_start = 0.0
    for step in range(4):
        if step == 1:
            start, cpu_start = time.perf_counter(), time.process_time()
        with torch.autocast('cpu', torch.bfloat16, enabled=config.precision == 'bf16'):
            loss = network(image).float().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        'images_per_sec': 3 * batch_size / (time.perf_counter() - start),
        'cpu_ms': (time.process_time() - cpu_start) / (3 * batch_size) * 1000,
    }


def picture(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a textured (480, 640, 3) image and a depth of slopes and steps [m]."""
    rng = np.random.default_rng(seed)
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for cells in (4, 16, 64):
        noise = rng.random((cells * 3, cells * 4, 3), dtype=np.float32)
        image += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * 255 / 3
    image += rng.normal(0, 3, image.shape)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    depth = 2 + rows / HEIGHT + 2 * (columns > rng.integers(100, 500)) + rng.normal(0, 0.01)
    return np.clip(image, 0, 255).astype(np.uint8), depth.astype(np.float32)


def encode(image: NDArray[Any], suffix: str) -> bytes:
    """Return the bytes of an image file; colour is RGB."""
    return cv2.imencode(suffix, image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()


def millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return depth as 16UC1."""
    return np.rint(depth * 1000).astype(np.uint16)


def write_zip(folder: Path) -> Path:
    """Write nyu_data.zip; the test part has PNG images, training reads JPEG: both are 480x640."""
    rows = ''
    with zipfile.ZipFile(folder / 'nyu_data.zip', 'w') as archive:
        for index in range(NUM_FILES):
            image, depth = picture(index)
            stem = f'data/nyu2_test/{index:05d}'
            archive.writestr(f'{stem}_colors.jpg', encode(image, '.jpg'))
            archive.writestr(f'{stem}_depth.png', encode(millimetres(depth), '.png'))
            rows += f'{stem}_colors.jpg,{stem}_depth.png\n'
        archive.writestr('data/nyu2_test.csv', rows)
    return folder / 'nyu_data.zip'


def write_mat(folder: Path) -> Path:
    """Write nyu_depth_v2_labeled.mat, compressed as MATLAB does, and splits.mat."""
    images = np.zeros((NUM_FILES, 3, WIDTH, HEIGHT), np.uint8)
    depths = np.zeros((NUM_FILES, WIDTH, HEIGHT), np.float32)
    for index in range(NUM_FILES):
        image, depth = picture(index)
        images[index], depths[index] = image.transpose(2, 1, 0), depth.T
    with h5py.File(folder / 'nyu_depth_v2_labeled.mat', 'w', userblock_size=512) as file:
        for name, array in (('images', images), ('depths', depths)):
            chunk = (1, *array.shape[1:])
            file.create_dataset(name, data=array, chunks=chunk, compression='gzip')
    scipy.io.savemat(folder / 'splits.mat', {'testNdxs': np.arange(1, NUM_FILES + 1)})
    return folder


def write_folder(folder: Path) -> Path:
    """Write PNG pairs, as a RealSense recorder does."""
    for index in range(NUM_FILES):
        image, depth = picture(index)
        (folder / f'{index}_rgb.png').write_bytes(encode(image, '.png'))
        (folder / f'{index}_depth.png').write_bytes(encode(millimetres(depth), '.png'))
    return folder


def write_bag(folder: Path) -> Path:
    """Write raw images into an mcap bag."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    kind = 'sensor_msgs/msg/Image'
    with Writer(folder / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = [
            writer.add_connection(topic, kind, typestore=store)
            for topic in ('/color/image_raw', '/aligned_depth/image_raw')
        ]
        for index in range(NUM_FILES):
            image, depth = picture(index)
            stamp = store.types['builtin_interfaces/msg/Time'](sec=index, nanosec=0)
            header = store.types['std_msgs/msg/Header'](stamp=stamp, frame_id='camera')
            for connection, pixels, encoding in zip(
                topics, (image, millimetres(depth)), ('rgb8', '16UC1'), strict=True
            ):
                data = np.ascontiguousarray(pixels).reshape(-1).view(np.uint8)
                message = store.types[kind](
                    header=header, height=HEIGHT, width=WIDTH, encoding=encoding,
                    is_bigendian=0, step=data.size // HEIGHT, data=data,
                )  # fmt: skip
                writer.write(connection, index * 10**9, store.serialize_cdr(message, kind))
    return folder / 'bag'


WRITERS = {
    'nyu-densedepth': write_zip,
    'nyu-labeled': write_mat,
    'rgbd-folder': write_folder,
    'rosbag': write_bag,
}


if __name__ == '__main__':
    sys.exit(main())
