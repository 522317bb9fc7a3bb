"""What became of answers, by what they have in common: counted by day in the background, then added up."""
