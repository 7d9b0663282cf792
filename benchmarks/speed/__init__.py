"""How quick the engines are, side by side on this machine: python -m benchmarks.speed, or `make bench`."""
