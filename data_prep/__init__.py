"""From a script file to training examples. Imports nothing else of this project."""
