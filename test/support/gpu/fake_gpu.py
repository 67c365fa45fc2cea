"""Puts a fake GPU and a fake TensorRT into this process, or into processes that it starts.

The real bindings, of which the fakes are autospecs, come from requirements/tensorrt.txt, which
`make test` unpacks to .venv/tensorrt/VERSION. They need three of NVIDIA's libraries, of which
only nine entry points are ever looked up: these are compiled here, and all return 0.
"""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_tensorrt import FakeTensorRt

_ROOT = Path(__file__).parents[3]
_LIBRARIES = ('nvinfer', 'nvinfer_plugin', 'nvonnxparser')
_ENTRY_POINTS = (
    'createInferBuilder_INTERNAL',
    'createInferRefitter_INTERNAL',
    'createInferRuntime_INTERNAL',
    'createNvOnnxParserRefitter_INTERNAL',
    'createNvOnnxParser_INTERNAL',
    'getBuilderPluginRegistry',
    'getNvOnnxParserVersion',
    'getPluginRegistry',
    'initLibNvInferPlugins',
)
_SITE = 'import fake_gpu\nfake_gpu.install_from_environment()\n'


def listed_versions() -> list[str]:
    """Versions of TensorRT that the tests are for."""
    lines = (_ROOT / 'requirements' / 'tensorrt.txt').read_text(encoding='utf-8').splitlines()
    return [
        line.partition('==')[2].partition(';')[0].strip()
        for line in lines
        if line.startswith('tensorrt-cu12-bindings')
    ]


def bindings_folder(version: str) -> Path | None:
    """Where the bindings of a version are; None if this environment has none."""
    folder = Path(sys.prefix) / 'tensorrt' / version
    return folder if (folder / 'tensorrt_bindings').is_dir() else None


def compile_stubs(folder: Path, version: str) -> list[Path]:
    """Make the libraries that the bindings of a version look for."""
    source = folder / 'stub.c'
    source.write_text('\n'.join(f'void *{name}(void) {{ return 0; }}' for name in _ENTRY_POINTS))
    made = []
    for name in _LIBRARIES:
        library = folder / f'lib{name}.so.{version.partition(".")[0]}'
        soname = f'-Wl,-soname,{library.name}'
        command = ['cc', '-shared', '-fPIC', '-o', str(library), soname, str(source)]
        subprocess.run(command, check=True)
        made.append(library)
    return made


def environment(folder: Path, version: str, **faults: object) -> dict[str, str]:
    """Environment of processes that shall find a GPU and TensorRT.

    Args:
        folder: Files are put there.
        version: Of TensorRT.
        faults: Fields of fake_tensorrt.Faults, and `driver`.
    """
    bindings = bindings_folder(version)
    assert bindings is not None
    folder.mkdir(exist_ok=True)
    libraries = compile_stubs(folder, version)
    (folder / 'sitecustomize.py').write_text(_SITE, encoding='utf-8')
    facts = {
        'bindings': str(bindings),
        'libraries': [str(library) for library in libraries],
        'faults': faults,
    }
    here = Path(__file__).parent
    path = [str(folder), str(here), str(here.parent), os.environ.get('PYTHONPATH', '')]
    return {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(filter(None, path)),
        'FAKE_GPU': json.dumps(facts),
        'XDG_CACHE_HOME': str(folder / 'cache'),
    }


def install_from_environment() -> FakeTensorRt | None:
    """Put the fakes in place, if `environment` says so."""
    facts = json.loads(os.environ.get('FAKE_GPU', 'null'))
    if facts is None or 'tensorrt' in sys.modules:
        return None
    for library in facts['libraries']:
        ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    sys.path.append(facts['bindings'])
    from fake_cuda import FakeCuda
    from fake_faults import Faults
    from fake_tensorrt import FakeTensorRt
    import tensorrt_bindings

    faults = dict(facts['faults'])
    cuda = FakeCuda(driver=faults.pop('driver', 13000)).install()
    fake = FakeTensorRt(tensorrt_bindings, cuda)
    fake.faults = Faults(**faults)
    sys.modules['tensorrt'] = fake
    return fake
