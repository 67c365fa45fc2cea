"""What loading costs, beside what training consumes.

Writes files in the real formats at the real size (480x640, textured, so that they compress as
photographs do), and times the loader alone: images a second with its worker processes, and
processor time an image, which other programs on the machine disturb less. With --train it also
times training steps of the preset's network on random images, in one process and in two that share
the batch. --json writes the figures.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
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
from depth_estimation_ros.training.model.network import build_densedepth
from depth_estimation_ros.training.presets import preset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HEIGHT, WIDTH = 480, 640
NUM_STEPS = 3
NUM_PROCESSES = (1, 2)
NUM_FILES = 24  # different files; the rest of a run reads them again


def main() -> int:
    """Run the benchmark."""
    args = parse()
    size = (args.height, args.width)
    figures = measure(args, size)
    if args.json:
        report = {
            'figures': figures, 'size': size, 'num_workers': args.num_workers,
            'processor': platform.processor() or platform.machine(), 'torch': torch.__version__,
        }  # fmt: skip
        args.json.write_text(json.dumps(report, indent=2) + '\n')
    return 0


def parse(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments, those of the command line unless others are given."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--height', type=int, default=192, help='of the items (%(default)s)')
    parser.add_argument('--width', type=int, default=256, help='of the items (%(default)s)')
    parser.add_argument('--num-images', type=int, default=400, help='to read (%(default)s)')
    parser.add_argument('--num-workers', type=int, default=2, help='processes (%(default)s)')
    parser.add_argument('--batch-size', type=int, default=16, help='(%(default)s)')
    parser.add_argument('--train', metavar='PRESET', help='time training steps of this preset too')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures here')
    return parser.parse_args(given)


def measure(args: argparse.Namespace, size: tuple[int, int]) -> dict[str, dict[str, float]]:
    """Time the loaders, and training if args.train names a preset; prints a line for each."""
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
        slowest = max(value['cpu_ms'] for value in figures.values())
        for number in NUM_PROCESSES:
            name = f'training, {args.train}, processes: {number}'
            figures[name] = training_rate(args.train, size, args.batch_size, number)
            show(name, figures[name])
        ratio = figures[name]['cpu_ms'] / slowest
        print(f'training takes {ratio:.0f} times the processor time of the slowest loader')
    return figures


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


def training_rate(
    preset_name: str, size: tuple[int, int], batch_size: int, num_processes: int
) -> dict[str, float]:
    """Time forward, backward and the optimiser's step, without any loading.

    Args:
        preset_name: Whose network and settings are used.
        size: (height, width) of the images [px].
        batch_size: Images of a step, of all processes.
        num_processes: That share them and the processors, and average their gradients.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = (num_processes, preset_name, size, batch_size, folder)
        context = multiprocessing.get_context('spawn')
        processes = [
            context.Process(target=_train, args=(rank, *arguments), daemon=True)
            for rank in range(num_processes)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        found = [json.loads(path.read_text()) for path in Path(folder).glob('*.json')]
    num_images = NUM_STEPS * (batch_size // num_processes) * num_processes
    return {
        'images_per_sec': num_images / max(item['wall_sec'] for item in found),
        'cpu_ms': 1000 * sum(item['cpu_sec'] for item in found) / num_images,
    }


def _train(
    rank: int,
    num_processes: int,
    preset_name: str,
    size: tuple[int, int],
    batch_size: int,
    folder: str,
) -> None:
    """Take steps in one process of several and write what they took."""
    torch.set_num_threads(max(1, torch.get_num_threads() // num_processes))
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meeting', rank=rank, world_size=num_processes
    )
    config = preset(preset_name)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    network = build_densedepth(
        config.encoder, variant=config.variant, decoder_width=config.decoder_width
    ).to(memory_format=layout)
    shared = torch.nn.parallel.DistributedDataParallel(network)
    image = torch.rand(batch_size // num_processes, 3, *size).contiguous(memory_format=layout)
    optimizer = torch.optim.AdamW(network.parameters())
    for step in range(1 + NUM_STEPS):
        if step == 1:  # the first one allocates
            started, cpu = time.perf_counter(), time.process_time()
        with torch.autocast('cpu', torch.bfloat16, enabled=config.precision == 'bf16'):
            loss = shared(image).float().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    spent = {'wall_sec': time.perf_counter() - started, 'cpu_sec': time.process_time() - cpu}
    Path(folder, f'{rank}.json').write_text(json.dumps(spent))
    torch.distributed.destroy_process_group()


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
