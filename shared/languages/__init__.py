"""What Keepwell says to people, in each language it speaks."""

from shared.languages.catalogue import LANGUAGES, Language, Texts, TextsError, say_day, say_place, say_time

__all__ = ["LANGUAGES", "Language", "Texts", "TextsError", "say_day", "say_place", "say_time"]
