"""Copies to take home: works as files in the format somebody asks for, made once and then kept."""
