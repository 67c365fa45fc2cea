"""The commands that the documents show are ones that the program takes."""

from __future__ import annotations

from pathlib import Path
import re
import shlex

import pytest

from depth_estimation_ros.cli.main import make_parser

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob('*.md'), *ROOT.glob('docs/*.md'), ROOT / 'depth_estimation_ros/models/README.md']
)
PROGRAM = 'depth-estimation'


def commands_of(text: str) -> list[list[str]]:
    """Return the arguments of every call of the program in the code blocks of a document."""
    commands = []
    for block in re.findall(r'```\w*\n(.*?)```', text, re.DOTALL):
        for line in block.replace('\\\n', ' ').splitlines():
            if line.split()[:1] == [PROGRAM]:
                commands.append(shlex.split(line, comments=True)[1:])
    return commands


def test_commands_are_found_over_continued_lines_and_without_comments() -> None:
    block = 'ls\ndepth-estimation info \\\n  a.onnx  # what it is\n'
    text = f'```xml\n<a/>\n```\ndepth-estimation y\n```bash\n{block}```\n`depth-estimation x`'
    assert commands_of(text) == [['info', 'a.onnx']]


def test_commands_are_found_in_blocks_that_name_no_language() -> None:
    assert commands_of('```\ndepth-estimation info b.onnx\n```') == [['info', 'b.onnx']]


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_document_parses(document: Path) -> None:
    parser = make_parser()
    for arguments in commands_of(document.read_text()):
        parser.parse_args(arguments)  # exits with 2, and says why, if it does not


def test_the_readme_shows_commands() -> None:
    assert len(commands_of((ROOT / 'README.md').read_text())) >= 8
