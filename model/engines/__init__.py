"""Engines that turn token ids into text; each implements `model.engine.Engine`."""
