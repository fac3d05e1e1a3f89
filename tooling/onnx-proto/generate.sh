#!/bin/sh
# Writes packages/tensor/src/onnx/generated/onnx_pb.ts from onnx.proto.
#
# onnx.proto is the file of the Python package onnx 1.23.2 (Copyright (c) ONNX Project Contributors, Apache-2.0), unchanged.
# Needs no install script: buf's platform package holds its binary, and protoc-gen-es is JavaScript.
set -eu
cd "$(dirname "$0")"
tensor=../../packages/tensor
"$tensor/node_modules/.bin/buf" generate --template buf.gen.yaml --path onnx.proto
