"""How quick the engines are, side by side on this machine: python -m model bench, or `make bench`."""
