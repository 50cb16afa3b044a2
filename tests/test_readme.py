"""The README keeps its word: its Python runs, and its commands are the ones that .ci/run takes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_python_in_the_readme_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    names: dict[str, object] = {}
    exec(compile(blocks[0], "README.md", "exec"), names)
    assert names["readings"].shape == (100, 16, 16)


def test_ci_runs_every_command_of_the_readme() -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    marked = re.findall(r"^<!-- command: (\S+) -->\n```bash$", README, re.MULTILINE)
    taken = re.findall(r"^run_readme_command (\S+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert marked == taken == ["main-job", "docs", "tests"]
    assert len(blocks) == len(marked)


def test_links_of_the_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
