"""Checks models that we emit with ONNX's own checker and strict shape inference (onnx 1.23.2).

node --conditions=@qoq-med/source tooling/oracles/write-onnx-sample.ts /tmp/sample.onnx
python tooling/oracles/check-onnx.py /tmp/sample.onnx
"""

import sys

import onnx

for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
    graph = onnx.load(path, load_external_data=False).graph
    print(f"{path}: accepted, {len(graph.node)} nodes, {len(graph.initializer)} initializers")
