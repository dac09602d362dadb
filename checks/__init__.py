"""The checks of `make check` that are neither tests nor about style."""
