"""Converts lengths."""

import click

METRES = {"m": 1.0, "km": 1000.0, "mile": 1609.344, "foot": 0.3048}


def convert(value: float, unit: str, to: str) -> float:
    return value * METRES[unit] / METRES[to]


@click.command()
@click.argument("value", type=float)
@click.argument("unit", type=click.Choice(sorted(METRES)))
@click.argument("to", type=click.Choice(sorted(METRES)))
def main(value: float, unit: str, to: str) -> None:
    click.echo(f"{convert(value, unit, to):.3f} {to}")


if __name__ == "__main__":
    main()
