"""A recording becomes a call file: cut into what was said in one go, with drafts of the words for people to correct."""
