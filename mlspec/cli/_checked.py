"""`mlspec plugins SLOT KIND --check`: what a kind must do, tried on its examples."""

from __future__ import annotations

from mlspec.cli.console import emit, stdout


def checked(slot: str, kind: str, json: bool) -> int:
    """Try a kind, tell each verdict as it comes, and return the exit status: 1 where one is broken."""
    from mlspec import registry
    from mlspec.sdk.fields import parameters
    from mlspec.testing.contract import Verdict, verdicts

    examples = registry.find(slot, kind).examples()
    found: list[Verdict] = []
    console = stdout()
    for verdict in verdicts(slot, kind):
        if not json:
            if not found or found[-1].example != verdict.example:
                options = {
                    name: value
                    for name, value in parameters(examples[verdict.example]).items()
                    if name != "kind"
                }
                console.print(
                    f"{kind}, example {verdict.example + 1} of {len(examples)}: {options}", style="bold"
                )
            if verdict.broken is None:
                console.print(f"  holds  {verdict.check.what}  ({verdict.seconds:.1f} s)")
            else:
                console.print(f"  fails  {verdict.check.what}", style="red")
                console.print(f"         {verdict.broken}")
                console.print(f"         fix: {verdict.check.fix}", style="green")
        found.append(verdict)
    broken = sum(verdict.broken is not None for verdict in found)
    if json:
        emit({"slot": slot, "kind": kind, "verdicts": [verdict.plain() for verdict in found]})
    else:
        console.print(f"{len(found) - broken} of {len(found)} hold", style="bold")
    return int(broken > 0)
