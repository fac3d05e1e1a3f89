"""llama.cpp's vision tower of Qwen2.5-VL over one picture.

options: threads, large (a folder with q4_0.gguf and mmproj.gguf), side (of the picture, in pixels)
"""

import ctypes
import os

from peer import serve


def prepare(options):
    import llama_cpp as llama
    import llama_cpp.mtmd_cpp as mtmd

    paths = [os.path.join(options["large"], name) for name in ("q4_0.gguf", "mmproj.gguf")]
    for path in paths:
        if not os.path.exists(path):
            raise ImportError(f"{path} is not there")
    llama.llama_backend_init()
    # The tower asks the language model for its width alone.
    model = llama.llama_model_load_from_file(paths[0].encode(), llama.llama_model_default_params())
    settings = mtmd.mtmd_context_params_default()
    settings.use_gpu, settings.warmup, settings.n_threads = False, False, options["threads"]
    context = mtmd.mtmd_init_from_file(paths[1].encode(), model, settings)
    assert context

    side = options["side"]
    pixels = bytes((i * 7919) % 256 for i in range(side * side * 3))
    bitmap = mtmd.mtmd_bitmap_init(side, side, (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels))
    marker = mtmd.mtmd_default_marker()
    text = mtmd.mtmd_input_text(marker, len(marker), False, True)
    chunks = mtmd.mtmd_input_chunks_init()
    bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
    assert mtmd.mtmd_tokenize(context, chunks, ctypes.byref(text), bitmaps, 1) == 0
    parts = [mtmd.mtmd_input_chunks_get(chunks, at) for at in range(mtmd.mtmd_input_chunks_size(chunks))]
    picture = next(part for part in parts if mtmd.mtmd_input_chunk_get_type(part) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE)
    # One token for 28 x 28 pixels, as ours.
    assert mtmd.mtmd_input_chunk_get_n_tokens(picture) == (side // 28) ** 2

    def work():
        assert mtmd.mtmd_encode_chunk(context, picture) == 0
        return {"units": 1}

    return work


serve(prepare, packages=["llama-cpp-python"])
