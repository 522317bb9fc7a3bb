"""`python -m connectors.sandbox`: the local CRMs without Django."""

import argparse

from connectors.sandbox.serve import add_arguments, run

parser = argparse.ArgumentParser(prog="connectors.sandbox", description=__doc__)
add_arguments(parser)
run(vars(parser.parse_args()), lambda line: print(line, flush=True))  # noqa: T201
