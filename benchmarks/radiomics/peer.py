"""A peer in a process of its own, by the Python of its own environment:

    PYTHON peer.py pyradiomics|pictologics|lesionkit

Requests are lines of JSON on stdin, and so are the answers on stdout. It imports nothing of
lesionkit's but where it is the peer.

    {"image": PATH, "mask": PATH, "params": {...} or PATH or null, "label": 1, "times": 1,
     "voxelBased": false}
    {"features": {NAME: number}, "cpu": [seconds of each time], "wall": [...], "problem": ""}

Images are read once and kept; the first time of a request is not the process's first.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import warnings
from functools import cache
from typing import Any


def pyradiomics() -> Any:
    import SimpleITK as sitk
    from radiomics import featureextractor

    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    read = cache(sitk.ReadImage)

    def prepare(request: dict[str, Any]) -> Any:
        extractor = featureextractor.RadiomicsFeatureExtractor(
            *([] if request["params"] is None else [request["params"]]),
            **request.get("settings", {}),
        )
        image, mask = read(request["image"]), read(request["mask"])
        maps = request.get("voxelBased", False)
        return lambda: extractor.execute(image, mask, request.get("label"), voxelBased=maps)

    return prepare


def lesionkit() -> Any:
    import SimpleITK as sitk

    from lesionkit.radiomics import RadiomicsFeatureExtractor

    read = cache(sitk.ReadImage)

    def prepare(request: dict[str, Any]) -> Any:
        extractor = RadiomicsFeatureExtractor(request["params"], **request.get("settings", {}))
        image, mask = read(request["image"]), read(request["mask"])
        maps = request.get("voxelBased", False)
        return lambda: extractor.execute(image, mask, request.get("label"), voxelBased=maps)

    return prepare


def pictologics() -> Any:
    """Its nearest job: bins of 25, morphology, intensity, histogram, texture."""
    from pictologics import RadiomicsPipeline, load_image

    families = ["intensity", "morphology", "histogram", "texture"]
    pipeline = RadiomicsPipeline(load_standard=False)
    pipeline.add_config(
        "default",
        [
            {"step": "discretise", "params": {"method": "FBS", "bin_width": 25, "min_val": -1000}},
            {"step": "extract_features", "params": {"families": families}},
        ],
    )
    read = cache(load_image)

    def prepare(request: dict[str, Any]) -> Any:
        image, mask = read(request["image"]), read(request["mask"])
        return lambda: dict(pipeline.run(image, mask, config_names=["default"])["default"])

    return prepare


PEERS = {"pictologics": pictologics, "pyradiomics": pyradiomics, "lesionkit": lesionkit}


def main() -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")  # what libraries print does not come between
    with contextlib.redirect_stdout(sys.stderr):
        prepare = PEERS[sys.argv[1]]()
        for line in sys.stdin:
            print(json.dumps(answer(prepare, json.loads(line))), file=answers, flush=True)


def answer(prepare: Any, request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cpu, wall = [], []
    try:
        run = prepare(request)
        for _ in range(request.get("times", 1)):
            before = time.process_time(), time.perf_counter()
            found = run()
            cpu.append(time.process_time() - before[0])
            wall.append(time.perf_counter() - before[1])
    except Exception as problem:
        return {"problem": f"{type(problem).__name__}: {problem}", "features": {}}
    features = {name: _plain(value) for name, value in found.items()}
    return {"features": features, "cpu": cpu, "wall": wall, "problem": ""}


def _plain(value: Any) -> Any:
    with contextlib.suppress(TypeError, ValueError):
        return float(value)
    if isinstance(value, (tuple, list)):
        return [float(x) for x in value]
    return str(value)


if __name__ == "__main__":
    main()
