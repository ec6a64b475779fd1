"""Runs alone, by `vet`: ends with 0 where the libraries take the model on stdin and it answers a row."""

import resource
import sys

import numpy as np
import onnx
import onnxruntime

ROOM = 2 << 30
"""Bytes that a session may take beside some copies of the file: a small file can ask for any amount."""
ROW = {"tensor(double)": (0.0, np.float64), "tensor(string)": ("", object)}
"""What one row has of each type of input that the door gives."""


def main() -> int:
    content = sys.stdin.buffer.read()
    room = ROOM + 16 * len(content)
    resource.setrlimit(resource.RLIMIT_DATA, (room, room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        onnx.checker.check_model(content, full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        session.run(None, {item.name: np.full(1, *ROW[item.type]) for item in session.get_inputs()})
    except KeyError as error:
        sys.stdout.write(f"it takes a {error.args[0]}, as no model of mlspec does")
        return 1
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told, and the file refused)
        sys.stdout.write(" ".join(str(error).split())[:300] or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
