"""torch_trainer: rows a second of PyTorch, asked for by torch_trainer.c.

torch_trainer.py LAYERS THREADS DATA_ROWS; then, for each line "ROWS STEPS
SECONDS" on standard input, a line on standard output: rows a second of the main
thread's processor time.  The first line says which PyTorch this is."""

import ctypes
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(3)


def keep_memory():
    """glibc gives large arrays back to the kernel and asks again in each step,
    which costs PyTorch up to a half of its speed at small batches."""
    m_trim_threshold, m_mmap_threshold = -1, -3
    ctypes.CDLL(None).mallopt(m_mmap_threshold, 1 << 30)
    ctypes.CDLL(None).mallopt(m_trim_threshold, (1 << 31) - 1)


def model_of(widths):
    parts = []
    for i, o in zip(widths, widths[1:]):
        parts += [torch.nn.Linear(i, o), torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])


def main():
    widths = [int(w) for w in sys.argv[1].split(",")]
    data_rows = int(sys.argv[3])
    keep_memory()
    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(1)
    data = torch.rand(data_rows, widths[0])
    classes = torch.randint(widths[-1], (data_rows,))
    model = model_of(widths)
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step(rows):
        optimizer.zero_grad(set_to_none=False)
        batch = torch.index_select(data, 0, rows)
        loss_of(model(batch), classes[rows]).backward()
        optimizer.step()

    print(torch.__version__, flush=True)
    for line in sys.stdin:
        count, steps, seconds = line.split()
        drawn = torch.randint(data_rows, (int(steps), int(count)))
        step(drawn[0])
        done = 0
        used = 0.0
        start = time.thread_time()
        while done == 0 or used < float(seconds):
            for rows in drawn:
                step(rows)
            done += drawn.numel()
            used = time.thread_time() - start
        print(done / used, flush=True)


main()
