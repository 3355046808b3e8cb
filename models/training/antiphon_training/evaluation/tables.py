"""Markdown tables."""


def table(head: str, rows: list[list[str]]) -> str:
    """A Markdown table; the cells of `head` are separated by `|`."""
    lines = [f"| {head} |", "|---" * (head.count("|") + 1) + "|", *("| " + " | ".join(row) + " |" for row in rows)]
    return "\n".join(lines) + "\n"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"
