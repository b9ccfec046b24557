"""`python -m training.worker`: ask a server for training runs and do them, until SIGTERM."""

import logging
import signal

from training.worker.options import parser, worker_of


def main() -> None:
    """Run the worker. SIGTERM and SIGINT let the program write a checkpoint, and give the run back."""
    options = parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    worker = worker_of(options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop.set())
    with worker:
        worker.stay(poll_s=options.poll_s, once=options.once)


if __name__ == "__main__":
    main()
