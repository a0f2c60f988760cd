"""Extensions of loyalty programs, one in each module."""
