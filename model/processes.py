"""The processes of one training: this one alone, or several that `torchrun` or `accelerate launch` have started.

All train; the first of them owns the run: its folder, what is said, and what the store gets.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Processes:
    """All processes of a training. `number` is this one's, from 0, and `count` how many there are.

    Every method but `is_first` waits until all of them have called it.
    """

    def __init__(self, number: int = 0, count: int = 1) -> None:
        self.number = number
        self.count = count

    @property
    def is_first(self) -> bool:
        """Whether the run is this process's to look after."""
        return self.number == 0

    def share(self, value: str | None) -> str | None:
        """What the first process has called this with, in each of them."""
        if self.count == 1:
            return value
        from torch.distributed import broadcast_object_list

        shared = [value]
        broadcast_object_list(shared)
        return shared[0]

    def any(self, mine: bool) -> bool:
        """Whether it is so in one of them."""
        return self.sum([float(mine)])[0] > 0

    def sum(self, mine: Sequence[float]) -> list[float]:
        """The sums over all of them, number by number."""
        if self.count == 1:
            return list(mine)
        import torch
        from accelerate import PartialState

        sums = torch.tensor(mine, dtype=torch.float64, device=PartialState().device)
        torch.distributed.all_reduce(sums)
        return list(sums.tolist())


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Find the others of this training, if there are any: the environment says so, as the launchers set it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    from accelerate import PartialState

    state = PartialState(cpu=computes_on_cpu())
    yield Processes(state.process_index, state.num_processes)
    # Only when all went well: after a failure the others may never answer, and the launcher ends them.
    state.destroy_process_group()


def computes_on_cpu() -> bool:
    """Whether this machine has no accelerator that PyTorch knows; processes that train together then speak gloo."""
    import torch

    return not torch.accelerator.is_available()
