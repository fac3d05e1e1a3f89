"""Reading clinical files in Python: wfdb and scipy, pydicom, Pillow and transformers' Qwen2.5-VL processor, OpenCV.

options: threads (processes here), data, kind (ecg, dicom, image, video), files, repeat
"""

import multiprocessing
import os
import tempfile

from peer import serve

made_records = 50
eight_leads = [0, 1, 6, 7, 8, 9, 10, 11]  # what the encoder reads


def read_ecg(file):
    import wfdb
    from scipy.signal import resample

    record = wfdb.rdrecord(file)
    return resample(record.p_signal[:, eight_leads], record.sig_len // 2, axis=0)


def read_dicom(file):
    import pydicom

    return pydicom.dcmread(file).pixel_array


def read_image(file):
    from PIL import Image

    return processor(images=[Image.open(file).convert("RGB")], return_tensors="np")


def read_video(file):
    import cv2

    video = cv2.VideoCapture(file)
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = []
    wanted = {int((i + 0.5) * count / 4) for i in range(4)}
    for at in range(count):
        if not video.grab():
            break
        if at in wanted:
            frames.append(cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB))
    return frames


readers = {"ecg": read_ecg, "dicom": read_dicom, "image": read_image, "video": read_video}
packages = {
    "ecg": ["wfdb", "scipy"],
    "dicom": ["pydicom", "pylibjpeg"],
    "image": ["pillow", "transformers"],
    "video": ["opencv-python-headless"],
}


def start(kind):
    """Prepares a process: one thread each, so that processes do not fight."""
    if kind == "image":
        global processor
        import torch
        from transformers import Qwen2VLImageProcessor

        torch.set_num_threads(1)
        processor = Qwen2VLImageProcessor(min_pixels=4 * 28 * 28, max_pixels=524288)
    if kind == "video":
        import cv2

        cv2.setNumThreads(1)


def make_records():
    import numpy as np
    import wfdb

    folder = tempfile.mkdtemp(prefix="qoq-peer-")
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    at = np.arange(5000)[:, None]
    for i in range(made_records):
        signal = 0.4 * np.sin(at / (9 + np.arange(12)) + i)
        wfdb.wrsamp(
            f"r{i}", fs=500, units=["mV"] * 12, sig_name=leads, p_signal=signal, fmt=["16"] * 12, write_dir=folder
        )
    return [os.path.join(folder, f"r{i}") for i in range(made_records)]


def read_all(task):
    kind, files = task
    for file in files:
        readers[kind](file)


def prepare(options):
    kind, threads = options["kind"], options["threads"]
    for name in packages[kind]:
        __import__({"opencv-python-headless": "cv2", "pillow": "PIL"}.get(name, name))
    files = [os.path.join(options["data"], file) for file in options["files"]] or make_records()
    units = options["repeat"] * (len(options["files"]) or 1)
    all_files = [files[i % len(files)] for i in range(units)]
    pool = multiprocessing.get_context("spawn").Pool(threads, start, (kind,))

    def work():
        pool.map(read_all, [(kind, all_files[i::threads]) for i in range(threads)], chunksize=1)
        return {"units": units}

    return work


if __name__ == "__main__":
    import json
    import sys

    serve(prepare, packages=packages[json.loads(sys.argv[1])["kind"]])
