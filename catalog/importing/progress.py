"""How an import tells how far it is. This one says nothing; a command draws a bar."""


class Progress:
    """`begin` a stage of `total` steps, then `advance`; `end` after the last."""

    def begin(self, stage: str, total: int) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def end(self) -> None: ...
