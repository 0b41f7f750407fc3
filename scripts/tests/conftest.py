"""What the tests of the scripts share: where they are, and campaigns with a known truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS / "tests")]

import results  # noqa: E402  (these need the path above)
import synthetic  # noqa: E402
from analysis.record import analyse, as_json  # noqa: E402

MP_AT_512 = "mp/prefork/mp prefork/plaintext/c512/k1/b"
MT_GATED = "mt/thread/mt thread/plaintext/c64/k1/b1"


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven blocks; all cells usable."""
    return synthetic.write(tmp_path_factory.mktemp("healthy"))


@pytest.fixture(scope="session")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mp at 512 clients was never measured; one cell of mt failed Little's law."""
    recipe = synthetic.Recipe(
        failed={f"{MP_AT_512}{block}" for block in range(7)}, gated={MT_GATED: "littles_law"}
    )
    return synthetic.write(tmp_path_factory.mktemp("sick"), recipe)


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with data for every figure."""
    campaign = synthetic.write(tmp_path_factory.mktemp("rich"), synthetic.rich())
    text = as_json(analyse(results.load(campaign)))
    (campaign / "analysis.json").write_text(text)
    return campaign


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a script as a user would."""
    command = [str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
