"""What the operator has: figures, health, metrics, a word to all."""
