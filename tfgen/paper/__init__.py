"""The paper: Table 1, its graphs, and the theory on enumerable worlds."""
